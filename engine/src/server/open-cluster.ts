/** Makes a node one of a cluster: its identity and promises on disk, its copies over the real namespaces. */
import { randomBytes } from 'node:crypto'
import type { NamespaceSetup } from '../cluster/cluster-node.ts'
import { NamespaceCopies } from '../cluster/namespace-copies.ts'
import type { StrongSetup } from '../cluster/strong/strong-namespaces.ts'
import type { SettingState } from '../cluster/system-metadata.ts'
import { noView, type ViewId } from '../cluster/view-id.ts'
import type { Namespace } from '../namespace/namespace.ts'
import type { Disk } from '../storage/disk.ts'
import { StorageError } from '../storage/storage-error.ts'
import { PARTITIONS } from '../values/digest.ts'
import { ClusterFolder } from './cluster-folder.ts'
import type { ResolvedCluster } from './cluster-config.ts'
import type { ResolvedConfig } from './config.ts'
import { JoinedCluster } from './joined-cluster.ts'
import { defaultNodeId } from './local-node.ts'
import { ClusterHost } from './mesh/cluster-host.ts'
import type { SavedNamespace } from './saved-copies.ts'
import { openStrong, type OpenStrong } from './open-strong.ts'
import { serviceAddresses } from './service-addresses.ts'
import { listenError, StartError } from './start-error.ts'

/** Below the node's folder. No namespace can have this name. */
const FOLDER = 'cluster.state'
/** Milliseconds between two looks whether what is known of strong copies is to be written again. */
const METAS_MS = 250

export interface ClusterWorld {
  readonly disk: Disk
  readonly clock: () => number
  readonly onNote: (line: string) => void
  /** Makes a setting what the cluster says. */
  readonly adopt: (setting: SettingState) => void
  /** The node cannot take part any more, and why. */
  readonly onLost: (line: string) => void
}

export interface OpenCluster {
  readonly id: string
  readonly host: ClusterHost
  readonly state: JoinedCluster
  /** Goes to the mesh; `port` is where clients reach the node. */
  join(port: number): Promise<void>
  /** Leaves: the others see a closed port. To be called before the namespaces are closed. */
  close(): Promise<void>
}

/** Rejects with a StartError, whose message is one line that says what to do. */
export async function openCluster(
  config: ResolvedConfig,
  cluster: ResolvedCluster,
  namespaces: readonly Namespace[],
  world: ClusterWorld,
): Promise<OpenCluster> {
  const folder = await openFolder(config, namespaces, world.disk)
  const self = {
    id: folder?.id ?? config.nodeId ?? newNodeId(config.port),
    incarnation: folder?.incarnation ?? randomId(),
    start: randomId(),
  }
  const turn = (name: string, partition: number, run: () => void): void => {
    host.node.strong.namespaces.get(name)?.turn(partition, run)
    host.wake()
  }
  const strong = await openStrongNamespaces(config, namespaces, { ...world, turn }).catch(
    async (error: unknown) => {
      await folder?.close()
      throw error
    },
  )
  let servicePort = config.port
  const addresses = () => serviceAddresses(config.host, servicePort)
  // Nobody elsewhere can reach 0.0.0.0.
  const advertise =
    cluster.advertise ?? (cluster.port === 0 ? undefined : serviceAddresses(config.host, cluster.port)[0])
  const host: ClusterHost = new ClusterHost({
    ...{ self, cluster: config.clusterName, host: config.host, onNote: world.onNote, onLost: world.onLost },
    ...(advertise === undefined ? {} : { advertise }),
    ...{ port: cluster.port, seeds: cluster.seeds, rack: cluster.rack, heartbeat: cluster.heartbeat },
    namespaces: config.namespaces.flatMap((settings, i) =>
      settings.consistency === 'available' ? [setupOf(namespaces[i]!, settings, folder)] : [],
    ),
    strong: strong.map(({ setup }) => setup),
    serviceAddresses: addresses,
    clock: world.clock,
    clockBound: cluster.clockBound,
    adopt: world.adopt,
    onServing: (record) => state.serves(record),
    promised: folder?.promised ?? noView,
    savePromise: (promised: ViewId) => folder?.savePromise(promised) ?? Promise.resolve(),
    saveCopies: async (copies) => {
      // What is said of a copy must not be on disk before what it speaks of.
      await Promise.all(namespaces.map(syncedSoFar))
      await folder?.saveCopies(copies)
    },
    metadata: folder?.metadata ?? [],
    saveMetadata: (entries) => folder?.saveMetadata(entries) ?? Promise.resolve(),
  })
  const metas = setInterval(() => {
    for (const { copies } of strong) copies.tick()
  }, METAS_MS)
  const state = new JoinedCluster({ id: self.id, host, namespaces, addresses, clock: world.clock })
  return {
    id: self.id,
    host,
    state,
    async join(port) {
      servicePort = port
      try {
        await host.open()
      } catch (error) {
        throw listenError(error, config.host, cluster.port, '--mesh-port')
      }
    },
    async close() {
      clearInterval(metas)
      await host.close()
      try {
        for (const { copies } of strong) await copies.close()
        if (folder) await saveLast(host, folder, namespaces)
      } catch (error) {
        world.onNote(`cluster: cannot save (${String(error)}); this node will be filled anew`)
      } finally {
        await folder?.close()
      }
    },
  }
}

interface StrongPart {
  readonly setup: StrongSetup
  readonly copies: OpenStrong['copies']
}

async function openStrongNamespaces(
  config: ResolvedConfig,
  namespaces: readonly Namespace[],
  world: ClusterWorld & { readonly turn: (name: string, partition: number, run: () => void) => void },
): Promise<StrongPart[]> {
  const parts: StrongPart[] = []
  for (const [
    i,
    { name, consistency, folder, durability, replicationFactor },
  ] of config.namespaces.entries()) {
    if (consistency !== 'strong') continue
    const { records, copies } = await openStrong(namespaces[i]!, {
      ...{ disk: world.disk, folder, partitions: PARTITIONS, onNote: world.onNote },
      turn: (partition, run) => world.turn(name, partition, run),
    })
    const kept = durability === 'commit' ? 'commit' : 'flush'
    parts.push({ setup: { name, store: records, durability: kept, replicationFactor }, copies })
  }
  return parts
}

async function openFolder(
  config: ResolvedConfig,
  namespaces: readonly Namespace[],
  disk: Disk,
): Promise<ClusterFolder | undefined> {
  if (config.folder === undefined) return undefined
  try {
    return await ClusterFolder.open(disk, `${config.folder}/${FOLDER}`, {
      id: config.nodeId,
      newId: () => newNodeId(config.port),
      newIncarnation: randomId,
      data: new Map(namespaces.map(({ name, store }) => [name, store.incarnation])),
      // Strong copies that are gone after every stop must not vote as if they were there (R1).
      isNew: config.namespaces.some(({ consistency, files }) => consistency === 'strong' && !files),
    })
  } catch (error) {
    throw error instanceof StorageError ? new StartError(error.message, { cause: error }) : error
  }
}

function setupOf(
  namespace: Namespace,
  { durability, replicationFactor }: ResolvedConfig['namespaces'][number],
  folder: ClusterFolder | undefined,
): NamespaceSetup {
  const { name, store } = namespace
  // C6: after an unclean stop only what was synced before it was acknowledged is still there.
  const isThere = durability === 'commit' || (durability === 'flush' && store.startedClean)
  const saved: SavedNamespace['copies'] | undefined = isThere ? folder?.copies.get(name) : undefined
  const copies = new NamespaceCopies(namespace, PARTITIONS)
  return { name, store: copies, replicationFactor, ...(saved ? { saved } : {}) }
}

/** What the copies had come to when the node stopped. */
async function saveLast(
  { node }: ClusterHost,
  folder: ClusterFolder,
  namespaces: readonly Namespace[],
): Promise<void> {
  const copies = Object.fromEntries([...node.namespaces].map(([name, namespace]) => [name, namespace.save()]))
  await Promise.all(namespaces.map(syncedSoFar))
  await folder.saveCopies(copies)
}

function syncedSoFar({ name, store }: Namespace): Promise<void> {
  return new Promise((resolve, reject) => {
    store.whenSynced(store.commitPosition, (failed) => {
      if (failed) reject(new Error(`namespace ${name} has stopped`))
      else resolve()
    })
  })
}

function newNodeId(port: number): string {
  return port === 0 ? randomId(6) : defaultNodeId(port)
}

/** Hex digits that do not begin with 0, as node ids must not. */
function randomId(bytes = 8): string {
  return `F${randomBytes(bytes).toString('hex').slice(1)}`.toUpperCase()
}
