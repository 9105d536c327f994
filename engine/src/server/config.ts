import { conflictPolicies, type ConflictPolicy, newNamespaceSettings } from '../namespace/namespace-config.ts'
import { MAX_TTL_S } from '../protocol/time-to-live.ts'
import { type ClusterConfig, resolveCluster, type ResolvedCluster } from './cluster-config.ts'
import type { Limits } from './limits.ts'
import { defaultLimits, DEFAULT_TRANSACTION_MS } from './limits.ts'
import { invalid, refuseUnknown, text, whole } from './setting-check.ts'
import { StartError } from './start-error.ts'

export const durabilities = ['none', 'flush', 'commit'] as const
export type Durability = (typeof durabilities)[number]

export const consistencies = ['available', 'strong'] as const
type Consistency = (typeof consistencies)[number]

/** One namespace, as a program or a configuration file names it. */
export interface NamespaceConfig {
  /** Up to 31 letters, digits, `-` or `_`. */
  name: string
  /** Where records live; `memory` is the only kind so far. With `files` they come back after a restart. */
  storage?: 'memory'
  /** Keep files for this namespace in the node's folder. Default: when the node has a folder. */
  files?: boolean
  /**
   * When a write is answered: `flush` before it is on disk, at most `flushMs` of writes may be lost; `commit` after
   * it is. Default: `flush` with files, `none` without.
   */
  durability?: Durability
  flushMs?: number
  /** Memory for index and data, in MiB; writes stop before it is full. */
  memoryMiB?: number
  /** Seconds a record lives that does not say; 0 = for ever. */
  defaultTtl?: number
  /** Seconds between two sweeps for expired records; 0 = none, and then records with a time to live are refused. */
  nsupPeriod?: number
  /** Bytes of the largest record. */
  maxRecordSize?: number
  /** In a cluster: on how many nodes each record lies, as far as there are nodes. */
  replicationFactor?: number
  /**
   * In a cluster: `available` takes writes on every side of a split and merges them afterwards; `strong` is
   * linearizable per record and refuses where it cannot be.
   */
  consistency?: Consistency
  /**
   * Of an available namespace in a cluster: what stays of a record that was written on two sides of a split, the version
   * of the higher generation (default) or the later one.
   */
  conflictResolutionPolicy?: ConflictPolicy
}

/** A node. Everything has a default; without any the node serves namespace `test` in memory on 127.0.0.1:3000. */
export interface NodeConfig {
  host?: string
  /** 0 takes any free port. */
  port?: number
  /** Up to 16 hex digits. Default: made of the port and this machine's hardware address. */
  nodeId?: string
  clusterName?: string
  /** Makes the node one of several; without, it is alone. */
  cluster?: ClusterConfig
  /** Where namespaces with files keep them. */
  folder?: string
  /**
   * Start on damaged files even where nobody can say which records the damage hit: what it held is lost, or an older
   * version shows. Default: refuse.
   */
  acceptDamage?: boolean
  namespaces?: readonly NamespaceConfig[]
  /** Client connections open at once. */
  maxConnections?: number
  /** Bytes of answers one connection may have waiting before its requests are left unread. */
  queuedBytes?: number
  /** The same over all connections; the one that passes it is cut off. */
  queuedBytesTotal?: number
  /** Bytes of requests begun and not ended, over all connections; the one that passes it is cut off. */
  partialBytesTotal?: number
  /** Milliseconds a request may take that does not say. */
  transactionMaxMs?: number
}

export interface ResolvedNamespace extends Required<NamespaceConfig> {
  readonly folder?: string
}

/** A configuration with every default filled in and every value checked. */
export interface ResolvedConfig {
  readonly host: string
  readonly port: number
  readonly nodeId: string | undefined
  readonly clusterName: string
  /** None for a node that is alone. */
  readonly cluster: ResolvedCluster | undefined
  readonly folder: string | undefined
  readonly acceptDamage: boolean
  readonly namespaces: readonly ResolvedNamespace[]
  readonly limits: Limits
  readonly transactionMaxMs: number
}

const DEFAULT_NAMESPACES: readonly NamespaceConfig[] = [{ name: 'test' }]
const MAX_NAMESPACES = 32
const DEFAULT_MEMORY_MIB = 1024
/** A segment of 8 MiB has to take it, with its head and what stands first in the segment. */
const LARGEST_RECORD_BYTES = 8 * 2 ** 20 - 2 ** 17
const LARGEST_REPLICATION_FACTOR = 16
const DAY_S = 86_400

/** Fills in defaults. Throws a StartError that names the setting, its value and what would be right. */
export function resolveConfig(config: NodeConfig = {}): ResolvedConfig {
  refuseUnknown(config, nodeKeys, '')
  const folder = config.folder === undefined ? undefined : text(config.folder, 'folder')
  const namespaces = config.namespaces ?? DEFAULT_NAMESPACES
  if (!Array.isArray(namespaces) || namespaces.length === 0 || namespaces.length > MAX_NAMESPACES)
    throw invalid('namespaces', namespaces, `a list of 1 to ${MAX_NAMESPACES} namespaces`)
  const resolved = namespaces.map((namespace: NamespaceConfig, i) => resolveNamespace(namespace, i, folder))
  const port = whole(config.port ?? 3000, 'port', 0, 65_535)
  const strong = resolved.find(({ consistency }) => consistency === 'strong')
  if (strong && config.cluster === undefined)
    throw new StartError(
      `Namespace ${strong.name} is to be strong but the node is alone; make it one of a cluster (--mesh-port, --seed or --nodes) or leave strong out`,
    )
  const twice = resolved.find(({ name }, i) => resolved.findIndex((other) => other.name === name) !== i)
  if (twice) throw invalid('namespaces', twice.name, 'names that differ')
  return {
    host: text(config.host ?? '127.0.0.1', 'host'),
    port,
    nodeId: config.nodeId === undefined ? undefined : hexId(config.nodeId),
    clusterName: text(config.clusterName ?? 'larder', 'clusterName'),
    cluster: config.cluster === undefined ? undefined : resolveCluster(config.cluster, port),
    folder,
    acceptDamage: config.acceptDamage ?? false,
    namespaces: resolved,
    limits: {
      ...defaultLimits,
      maxConnections: whole(config.maxConnections ?? defaultLimits.maxConnections, 'maxConnections', 1, 1e6),
      queuedBytes: whole(config.queuedBytes ?? defaultLimits.queuedBytes, 'queuedBytes', 1024, 2 ** 30),
      queuedBytesTotal: whole(
        config.queuedBytesTotal ?? defaultLimits.queuedBytesTotal,
        'queuedBytesTotal',
        1024,
        2 ** 40,
      ),
      partialBytesTotal: whole(
        config.partialBytesTotal ?? defaultLimits.partialBytesTotal,
        'partialBytesTotal',
        1024,
        2 ** 40,
      ),
    },
    transactionMaxMs: whole(
      config.transactionMaxMs ?? DEFAULT_TRANSACTION_MS,
      'transactionMaxMs',
      1,
      3_600_000,
    ),
  }
}

function resolveNamespace(namespace: NamespaceConfig, index: number, nodeFolder?: string): ResolvedNamespace {
  const path = `namespaces[${index}].`
  if (typeof namespace !== 'object' || namespace === null)
    throw invalid(`namespaces[${index}]`, namespace, "an object such as { name: 'test' }")
  refuseUnknown(namespace, namespaceKeys, path)
  if (typeof namespace.name !== 'string' || !/^[A-Za-z0-9_-]{1,31}$/.test(namespace.name))
    throw invalid(`${path}name`, namespace.name, '1 to 31 letters, digits, - or _')
  if (namespace.storage !== undefined && namespace.storage !== 'memory')
    throw invalid(`${path}storage`, namespace.storage, "'memory', the only kind so far")
  const files = namespace.files ?? (nodeFolder !== undefined && namespace.durability !== 'none')
  if (files && nodeFolder === undefined)
    throw new StartError(
      `Namespace ${namespace.name} wants files but the node has no folder; name one with folder (--folder)`,
    )
  const durability = namespace.durability ?? (files ? 'flush' : 'none')
  if (!durabilities.includes(durability))
    throw invalid(`${path}durability`, durability, `one of ${durabilities.join(', ')}`)
  if (durability === 'none' && files)
    throw invalid(`${path}durability`, durability, "'flush' or 'commit' where there are files")
  if (durability !== 'none' && !files)
    throw new StartError(
      `Namespace ${namespace.name} is to be ${durability} but keeps no files; name a folder (--folder) or leave durability out`,
    )
  const consistency = namespace.consistency ?? 'available'
  if (!consistencies.includes(consistency))
    throw invalid(`${path}consistency`, consistency, `one of ${consistencies.join(', ')}`)
  const policy = namespace.conflictResolutionPolicy
  if (policy !== undefined && !conflictPolicies.includes(policy))
    throw invalid(`${path}conflictResolutionPolicy`, policy, `one of ${conflictPolicies.join(', ')}`)
  if (policy !== undefined && consistency === 'strong')
    throw new StartError(
      `Namespace ${namespace.name} is to be strong and merges nothing; leave conflictResolutionPolicy out`,
    )
  const settings = newNamespaceSettings()
  return {
    name: namespace.name,
    storage: 'memory',
    files,
    folder: files ? `${nodeFolder}/${namespace.name}` : undefined,
    durability,
    flushMs: whole(namespace.flushMs ?? 1000, `${path}flushMs`, 1, 60_000),
    memoryMiB: whole(namespace.memoryMiB ?? DEFAULT_MEMORY_MIB, `${path}memoryMiB`, 16, 2 ** 20),
    defaultTtl: whole(namespace.defaultTtl ?? settings.defaultTtl, `${path}defaultTtl`, 0, MAX_TTL_S),
    nsupPeriod: whole(namespace.nsupPeriod ?? settings.nsupPeriod, `${path}nsupPeriod`, 0, DAY_S),
    maxRecordSize: whole(
      namespace.maxRecordSize ?? settings.maxRecordSize,
      `${path}maxRecordSize`,
      1024,
      LARGEST_RECORD_BYTES,
    ),
    replicationFactor: whole(
      namespace.replicationFactor ?? 2,
      `${path}replicationFactor`,
      1,
      LARGEST_REPLICATION_FACTOR,
    ),
    consistency,
    conflictResolutionPolicy: policy ?? settings.conflictResolutionPolicy,
  }
}

const nodeKeys: readonly (keyof NodeConfig)[] = [
  'host',
  'port',
  'nodeId',
  'clusterName',
  'cluster',
  'folder',
  'acceptDamage',
  'namespaces',
  'maxConnections',
  'queuedBytes',
  'queuedBytesTotal',
  'partialBytesTotal',
  'transactionMaxMs',
]

const namespaceKeys: readonly (keyof NamespaceConfig)[] = [
  'name',
  'storage',
  'files',
  'durability',
  'flushMs',
  'memoryMiB',
  'defaultTtl',
  'nsupPeriod',
  'maxRecordSize',
  'replicationFactor',
  'consistency',
  'conflictResolutionPolicy',
]

function hexId(value: unknown): string {
  if (typeof value !== 'string' || !/^[0-9a-fA-F]{1,16}$/.test(value) || /^0+$/.test(value))
    throw invalid('nodeId', value, '1 to 16 hex digits, not all 0')
  return value.toUpperCase().replace(/^0+/, '')
}
