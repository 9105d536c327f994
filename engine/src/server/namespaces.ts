import { randomBytes } from 'node:crypto'
import type { SettingChange } from '../cluster/system-metadata.ts'
import { Namespace } from '../namespace/namespace.ts'
import { newNamespaceSettings } from '../namespace/namespace-config.ts'
import type { Disk } from '../storage/disk.ts'
import type { FileOptions } from '../storage/open-files.ts'
import { newView } from '../storage/record.ts'
import { RecordStore } from '../storage/record-store.ts'
import { StorageError } from '../storage/storage-error.ts'
import type { BackgroundWork } from './background.ts'
import type { ClusterEntrance } from './cluster-entrance.ts'
import type { ResolvedConfig, ResolvedNamespace } from './config.ts'
import { Dispatcher } from './dispatch.ts'
import { LocalNamespace, type NamespacePlace } from './local-namespace.ts'
import type { NamespaceState } from './node-state.ts'
import type { MessageHandler, Syncs } from './service.ts'
import type { ServiceNumbers } from './service-settings.ts'
import { StartError } from './start-error.ts'
import { SyncLedger } from './sync-ledger.ts'

const MIB = 1024 * 1024
/** How often a long recovery says how far it is. */
const PROGRESS_MS = 500
/** How long a cluster remembers a delete: a node that was away for longer may bring it back. */
const CLUSTER_TOMBSTONE_MS = 86_400_000

/** The namespaces of a node, open and ready. */
export interface OpenNamespaces {
  /** In the order of the configuration. */
  readonly namespaces: readonly Namespace[]
  readonly states: readonly NamespaceState[]
  readonly messages: MessageHandler
  readonly syncs: Syncs
  readonly background: readonly BackgroundWork[]
  readonly numbers: ServiceNumbers
  /** Makes a setting what the cluster says. */
  adopt(setting: SettingChange): void
  /** From now on records are where the cluster says. */
  join(cluster: ClusterEntrance): void
  close(): Promise<void>
}

/** The world as namespaces need it. */
export interface NamespaceWorld {
  readonly clock: () => number
  readonly disk: Disk
  /** Gets lines for the person who runs the node. */
  readonly onNote: (line: string) => void
  /** A namespace can write no more, and why. */
  readonly onFault: (line: string) => void
}

export async function openNamespaces(config: ResolvedConfig, world: NamespaceWorld): Promise<OpenNamespaces> {
  const { clock } = world
  const namespaces = await openAll(config, world)
  const limits = { transactionMaxMs: config.transactionMaxMs, batchMaxRequests: 0 }
  const ledger = new SyncLedger(namespaces.map(({ store }) => store))
  const states = namespaces.map((namespace, number) => {
    const ticketOf = (position: number): number => {
      ledger.need(number, position)
      return ledger.take()
    }
    return new LocalNamespace(namespace, placeOf(config, number), ticketOf)
  })
  const dispatcher = new Dispatcher(namespaces, limits, clock, ledger)
  const latencies = states.map((state) => state.latencies)
  const messages: MessageHandler = {
    dispatch: (request, start, end, arrived, out) => dispatcher.dispatch(request, start, end, arrived, out),
    takeUnfinished: () => dispatcher.takeUnfinished(),
    takeDeferred: () => dispatcher.takeDeferred(),
    get mayHaveWritten() {
      return dispatcher.mayHaveWritten
    },
    took: (micros, now) => dispatcher.enterTimes(micros, now, latencies),
  }
  return {
    namespaces,
    states,
    messages,
    syncs: ledger,
    background: namespaces.map(({ store }) => store),
    numbers: limits,
    adopt: (setting) => states.find(({ name }) => name === setting.namespace)?.adopt(setting),
    join: (cluster) => {
      dispatcher.join(cluster)
      for (const state of states) state.join(cluster)
    },
    close: async () => {
      for (const { store } of namespaces) await store.close()
    },
  }
}

/** A lone node keeps one copy whatever its configuration says. */
function placeOf({ cluster, namespaces }: ResolvedConfig, number: number): NamespacePlace {
  if (!cluster) return { 'replication-factor': 1, 'strong-consistency': false }
  const { replicationFactor, consistency } = namespaces[number]!
  return {
    'replication-factor': replicationFactor,
    'strong-consistency': consistency === 'strong',
    'rack-id': cluster.rack,
  }
}

/** All of them, or none. */
async function openAll(config: ResolvedConfig, world: NamespaceWorld): Promise<Namespace[]> {
  const opened = await Promise.allSettled(
    config.namespaces.map((namespace) => open(namespace, config, world)),
  )
  const namespaces = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const failed = opened.find((result) => result.status === 'rejected')
  if (!failed) return namespaces
  for (const { store } of namespaces) await store.close()
  const { reason } = failed as { reason: unknown }
  throw reason instanceof StorageError ? new StartError(reason.message, { cause: reason }) : reason
}

async function open(
  config: ResolvedNamespace,
  { acceptDamage, cluster }: ResolvedConfig,
  world: NamespaceWorld,
): Promise<Namespace> {
  const { clock } = world
  const { defaultTtl, nsupPeriod, maxRecordSize, conflictResolutionPolicy } = config
  const settings = newNamespaceSettings({
    defaultTtl,
    nsupPeriod,
    maxRecordSize,
    conflictResolutionPolicy,
  })
  const store = await RecordStore.open({
    clock,
    stopwatch: () => performance.now(),
    memoryLimit: config.memoryMiB * MIB,
    expiryPeriod: () => settings.nsupPeriod,
    tombstoneLife: cluster ? CLUSTER_TOMBSTONE_MS : 0,
    strong: config.consistency === 'strong',
    files: filesOf(config, acceptDamage, world),
  })
  return new Namespace(config.name, settings, store, clock, newView())
}

function filesOf(
  config: ResolvedNamespace,
  acceptDamage: boolean,
  { disk, onNote, onFault }: NamespaceWorld,
): FileOptions | undefined {
  const { name, folder, durability, flushMs } = config
  if (folder === undefined || durability === 'none') return undefined
  let reported = performance.now()
  return {
    disk,
    folder,
    namespace: name,
    durability,
    flushMs,
    newIncarnation: () => randomBytes(8).toString('hex'),
    acceptDamage,
    onProgress(done, total) {
      if (performance.now() - reported < PROGRESS_MS) return
      reported = performance.now()
      onNote(`${name}: read ${done} of ${total} segments`)
    },
    onNote: (line) => onNote(`${name}: ${line}`),
    onFault: ({ message }) => onFault(`${name}: ${message}`),
  }
}
