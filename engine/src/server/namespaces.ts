import { Namespace } from '../namespace/namespace.ts'
import { newView } from '../storage/record.ts'
import { RecordStore } from '../storage/record-store.ts'
import type { BackgroundWork } from './background.ts'
import type { ResolvedConfig, ResolvedNamespace } from './config.ts'
import { Dispatcher } from './dispatch.ts'
import { LocalNamespace } from './local-namespace.ts'
import type { NamespaceState } from './node-state.ts'
import type { MessageHandler, Syncs } from './service.ts'
import type { ServiceNumbers } from './service-settings.ts'
import { StartError } from './start-error.ts'

const MIB = 1024 * 1024

/** The namespaces of a node, open and ready. */
export interface OpenNamespaces {
  readonly states: readonly NamespaceState[]
  readonly messages: MessageHandler
  readonly syncs: Syncs
  readonly background: readonly BackgroundWork[]
  readonly numbers: ServiceNumbers
  close(): Promise<void>
}

export async function openNamespaces(config: ResolvedConfig, clock: () => number): Promise<OpenNamespaces> {
  const namespaces = await Promise.all(config.namespaces.map((namespace) => open(namespace, clock)))
  const limits = { transactionMaxMs: config.transactionMaxMs, batchMaxRequests: 0 }
  const states = namespaces.map((namespace) => new LocalNamespace(namespace))
  const dispatcher = new Dispatcher(namespaces, limits, clock)
  const messages: MessageHandler = {
    dispatch: (request, start, end, arrived, out) => dispatcher.dispatch(request, start, end, arrived, out),
    took(micros) {
      dispatcher.takeCounts((namespace, reads, writes) => {
        const { latencies } = states[namespace]!
        if (reads > 0) latencies.of('read').add(micros, reads, clock())
        if (writes > 0) latencies.of('write').add(micros, writes, clock())
      })
    },
  }
  return {
    states,
    messages,
    syncs: { isSynced: () => true, whenSynced: (_ticket, callback) => callback(false) },
    background: namespaces.map(({ store }) => store),
    numbers: limits,
    close: async () => {
      for (const { store } of namespaces) await store.close()
    },
  }
}

async function open(config: ResolvedNamespace, clock: () => number): Promise<Namespace> {
  if (config.files)
    throw new StartError(
      `Namespace ${config.name} is to keep files, which this version cannot do yet; leave folder (--folder) out`,
    )
  const settings = {
    defaultTtl: config.defaultTtl,
    nsupPeriod: config.nsupPeriod,
    allowTtlWithoutNsup: false,
    maxRecordSize: config.maxRecordSize,
    disallowNullSetname: false,
    rejectNonXdrWrites: false,
    rejectXdrWrites: false,
    defaultReadTouchTtlPct: 0,
  }
  const store = await RecordStore.open({
    clock,
    stopwatch: () => performance.now(),
    memoryLimit: config.memoryMiB * MIB,
    expiryPeriod: () => settings.nsupPeriod,
  })
  return new Namespace(config.name, settings, store, clock, newView())
}
