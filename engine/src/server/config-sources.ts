import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { conflictPolicies } from '../namespace/namespace-config.ts'
import type { ClusterConfig } from './cluster-config.ts'
import { consistencies, durabilities, type NamespaceConfig, type NodeConfig } from './config.ts'
import { StartError } from './start-error.ts'

const CONFIG_FILE = 'larder.config.ts'

/** Values that a later source overrides one by one. */
export interface ConfigSources {
  /** Where `larder.config.ts` is looked for. */
  readonly cwd: string
  /** Another file than that. */
  readonly file?: string
  readonly environment: NodeJS.ProcessEnv
  readonly flags: NodeConfig
}

/** Settings from larder.config.ts, then the environment, then the command line, the last one winning. */
export async function gatherConfig({ cwd, file, environment, flags }: ConfigSources): Promise<NodeConfig> {
  const [first, second] = [await fromFile(cwd, file), fromEnvironment(environment)]
  const gathered: NodeConfig = { ...first, ...second, ...flags }
  // Part by part: a flag for the rack leaves the seeds of the file alone.
  if (gathered.cluster) gathered.cluster = { ...first.cluster, ...second.cluster, ...flags.cluster }
  return gathered
}

async function fromFile(cwd: string, named: string | undefined): Promise<NodeConfig> {
  const path = resolve(cwd, named ?? CONFIG_FILE)
  if (!existsSync(path)) {
    if (named === undefined) return {}
    throw new StartError(`There is no configuration file ${path}`)
  }
  let loaded: { default?: unknown }
  try {
    loaded = (await import(pathToFileURL(path).href)) as { default?: unknown }
  } catch (error) {
    throw new StartError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (typeof loaded.default !== 'object' || loaded.default === null)
    throw new StartError(`${path} must say: export default { port: 3000, … }`)
  return loaded.default
}

/**
 * LARDER_HOST, LARDER_PORT, LARDER_FOLDER, LARDER_NODE_ID, LARDER_CLUSTER_NAME, LARDER_NAMESPACES; LARDER_SEEDS,
 * LARDER_MESH_PORT and LARDER_RACK make the node one of a cluster.
 */
function fromEnvironment(environment: NodeJS.ProcessEnv): NodeConfig {
  const config: NodeConfig = {}
  const { LARDER_HOST, LARDER_PORT, LARDER_FOLDER, LARDER_NODE_ID, LARDER_CLUSTER_NAME, LARDER_NAMESPACES } =
    environment
  if (LARDER_HOST) config.host = LARDER_HOST
  if (LARDER_PORT) config.port = Number(LARDER_PORT)
  if (LARDER_FOLDER) config.folder = LARDER_FOLDER
  if (LARDER_NODE_ID) config.nodeId = LARDER_NODE_ID
  if (LARDER_CLUSTER_NAME) config.clusterName = LARDER_CLUSTER_NAME
  if (LARDER_NAMESPACES) config.namespaces = LARDER_NAMESPACES.split(' ').filter(Boolean).map(parseNamespace)
  const { LARDER_SEEDS, LARDER_MESH_PORT, LARDER_RACK } = environment
  const cluster: ClusterConfig = {}
  if (LARDER_SEEDS) cluster.seeds = LARDER_SEEDS.split(' ').filter(Boolean)
  if (LARDER_MESH_PORT) cluster.port = Number(LARDER_MESH_PORT)
  if (LARDER_RACK) cluster.rack = Number(LARDER_RACK)
  if (Object.keys(cluster).length > 0) config.cluster = cluster
  return config
}

const numberKeys = [
  'flushMs',
  'memoryMiB',
  'defaultTtl',
  'nsupPeriod',
  'maxRecordSize',
  'replicationFactor',
] as const

const policyKey = 'conflictResolutionPolicy'

/** `name`, or `name,commit,memoryMiB=512`: a namespace as a flag or the environment names it. */
export function parseNamespace(text: string): NamespaceConfig {
  const [name = '', ...rest] = text.split(',')
  const namespace: NamespaceConfig = { name }
  for (const part of rest) {
    const [key = '', value = ''] = part.split('=')
    const durability = durabilities.find((known) => known === key)
    const consistency = consistencies.find((known) => known === key)
    const setting = numberKeys.find((known) => known === key)
    const policy = key === policyKey ? conflictPolicies.find((known) => known === value) : undefined
    if (durability) namespace.durability = durability
    else if (consistency) namespace.consistency = consistency
    else if (policy) namespace.conflictResolutionPolicy = policy
    else if (setting && value !== '') namespace[setting] = Number(value)
    else
      throw new StartError(
        `Namespace setting "${part}" is not known; use ${[...durabilities, ...consistencies].join(', ')}, ${numberKeys.join('=…, ')}=…, or ${policyKey}=${conflictPolicies.join('|')}`,
      )
  }
  return namespace
}
