import type { Limits } from './limits.ts'
import { numberSetting, Settings } from './settings.ts'

/** What the settings of a running node change. */
export interface Adjustable {
  limits: Limits
  readonly clusterName: string
  limitConnections(count: number): void
}

/** Context `service` of get-config and set-config. */
export function serviceSettings(node: Adjustable, numbers: ServiceNumbers): Settings {
  return new Settings()
    .fixed({ 'cluster-name': node.clusterName })
    .define(
      'proto-fd-max',
      numberSetting(
        () => node.limits.maxConnections,
        (count) => {
          node.limits = { ...node.limits, maxConnections: count }
          node.limitConnections(count)
        },
        { min: 1, max: 1_000_000 },
      ),
    )
    .fixed({ 'proto-fd-idle-ms': 0 })
    .define(
      'transaction-max-ms',
      numberSetting(
        () => numbers.transactionMaxMs,
        (ms) => void (numbers.transactionMaxMs = ms),
        { min: 1, max: 60_000 },
      ),
    )
    .define(
      'batch-max-requests',
      numberSetting(
        () => numbers.batchMaxRequests,
        (rows) => void (numbers.batchMaxRequests = rows),
        { max: 0xffffffff },
      ),
    )
    .fixed({ 'service-threads': 1, 'min-cluster-size': 1, 'advertise-ipv6': false, 'stay-quiesced': false })
}

/** Numbers that set-config changes where they are used. */
export interface ServiceNumbers {
  transactionMaxMs: number
  batchMaxRequests: number
}
