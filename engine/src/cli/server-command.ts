import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { ClusterConfig } from '../server/cluster-config.ts'
import { type NodeConfig, resolveConfig } from '../server/config.ts'
import { gatherConfig, parseNamespace } from '../server/config-sources.ts'
import type { Node } from '../server/node.ts'
import { startNode } from '../server/node.ts'
import { type Command, CommandError, wholeNumber } from './command.ts'
import { startGroup } from './node-group.ts'

export const serverCommand: Command = {
  help: `larder server [flags]

Without flags: listens on 127.0.0.1:3000 and keeps namespace test in memory.

  --host ADDRESS        address to listen on (LARDER_HOST)
  --port N              port; 0 takes any free one (LARDER_PORT)
  --folder PATH         keep data in files here (LARDER_FOLDER)
  --accept-damage       start on damaged files although records may be lost or old
  --namespace SPEC      name[,flush|commit|none][,strong][,replicationFactor=…][,memoryMiB=…][,defaultTtl=…]
                        [,nsupPeriod=…][,conflictResolutionPolicy=generation|last-update-time]; may be given several times (LARDER_NAMESPACES, separated by blanks)
  --node-id HEX         (LARDER_NODE_ID)

One of these makes the node one of a cluster:

  --seed HOST:MESHPORT  a node to join; may be given several times (LARDER_SEEDS, separated by blanks)
  --mesh-port N         port for other nodes; default: the service port + 2 (LARDER_MESH_PORT)
  --rack N              replicas go to different racks first (LARDER_RACK)

  --nodes N             run N nodes of one rack on this machine, each a process: ports 3000, 3010, 3020, … (from --port on),
                        for other nodes 3002, 3012, … (from --mesh-port on), folders node-1, node-2, … below --folder
  --cluster-name NAME   nodes with another one are refused; default: larder (LARDER_CLUSTER_NAME)
  --config FILE         instead of ./larder.config.ts

Flags win over the environment, which wins over the file:

  // larder.config.ts
  export default { port: 3000, folder: './data', namespaces: [{ name: 'test', durability: 'commit' }] }

Examples:
  larder server
  larder server --port 3010 --folder ./data
  larder server --folder ./data --namespace shop,flush --namespace stock,commit,memoryMiB=512
  larder server --host 10.0.0.1 --mesh-port 3002 --folder ./data      the first node of a cluster
  larder server --host 10.0.0.2 --seed 10.0.0.1:3002 --folder ./data  one more, on another machine
  larder server --nodes 3 --folder ./data                             three nodes on this machine
`,
  async run(args) {
    const { values } = parseArgs({
      args,
      options: {
        host: { type: 'string' },
        port: { type: 'string' },
        folder: { type: 'string' },
        'accept-damage': { type: 'boolean' },
        namespace: { type: 'string', multiple: true },
        'node-id': { type: 'string' },
        'cluster-name': { type: 'string' },
        seed: { type: 'string', multiple: true },
        'mesh-port': { type: 'string' },
        rack: { type: 'string' },
        nodes: { type: 'string' },
        config: { type: 'string' },
      },
    })
    const flags: NodeConfig = {}
    if (values.host !== undefined) flags.host = values.host
    if (values.port !== undefined) flags.port = wholeNumber('port', values.port, 0, 65_535)
    if (values.folder !== undefined) flags.folder = values.folder
    if (values['accept-damage']) flags.acceptDamage = true
    if (values.namespace) flags.namespaces = values.namespace.map(parseNamespace)
    if (values['node-id'] !== undefined) flags.nodeId = values['node-id']
    if (values['cluster-name'] !== undefined) flags.clusterName = values['cluster-name']
    const cluster = clusterFlags(values)
    if (cluster) flags.cluster = cluster
    const config = await gatherConfig({
      cwd: process.cwd(),
      file: values.config,
      environment: process.env,
      flags,
    })
    if (values.nodes !== undefined) return runNodes(wholeNumber('nodes', values.nodes, 1, 64), config, args)
    const stopping = stopSignal()
    const node = await startNode(config, { onNote: (line) => console.error(line) })
    console.log(banner(node))
    // The reason was told as it came.
    const reason = await Promise.race([stopping, node.stopped])
    if (reason !== undefined) return 1
    console.log('stopping')
    await node.close()
    return 0
  },
}

interface ClusterFlags {
  readonly seed?: string[]
  readonly 'mesh-port'?: string
  readonly rack?: string
}

function clusterFlags({ seed, 'mesh-port': port, rack }: ClusterFlags): ClusterConfig | undefined {
  if (seed === undefined && port === undefined && rack === undefined) return undefined
  return {
    ...(seed && { seeds: seed }),
    ...(port !== undefined && { port: wholeNumber('mesh-port', port, 0, 65_535) }),
    ...(rack !== undefined && { rack: wholeNumber('rack', rack, 0, 1_000_000) }),
  }
}

function banner(node: Node): string {
  const namespaces = node.namespaces.map(({ name, kept }) => `${name} (${kept})`).join(', ')
  const mesh = node.meshAddress === undefined ? '' : `, other nodes at ${node.meshAddress}`
  return `Node ${node.id} serves ${node.host}:${node.port}${mesh}; namespaces: ${namespaces}`
}

/** Flags that are another one for each node. */
const OWN_FLAGS = ['--nodes', '--port', '--mesh-port', '--seed', '--folder']

/** Runs several nodes as processes, until Ctrl-C or until all have ended. */
async function runNodes(count: number, config: NodeConfig, args: readonly string[]): Promise<number> {
  if (config.nodeId !== undefined)
    throw new CommandError('--nodes and --node-id do not go together: each node needs an id of its own')
  const { host, port, cluster } = resolveConfig({ cluster: {}, ...config })
  if (port === 0 || cluster?.port === 0)
    throw new CommandError(
      '--nodes needs ports that are known: name another than 0 with --port and --mesh-port',
    )
  const group = startGroup({
    ...{ count, host, port, meshPort: cluster!.port, seeds: cluster!.seeds },
    folder: config.folder,
    flags: without(args, OWN_FLAGS),
    program: fileURLToPath(new URL('larder.ts', import.meta.url)),
    print: (line) => console.log(line),
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => group.stop())
  try {
    await group.started
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error))
  }
  await group.ended
  return 0
}

/** The flags but for these and their values. */
function without(args: readonly string[], flags: readonly string[]): string[] {
  const left: string[] = []
  for (let i = 0; i < args.length; i++) {
    const [name = ''] = args[i]!.split('=')
    if (!flags.includes(name)) left.push(args[i]!)
    else if (name === args[i]) i++
  }
  return left
}

/** Resolves at Ctrl-C or SIGTERM; a second one ends the process at once. One of several ends with its parent. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('disconnect', resolve)
    // It alone keeps no process alive.
    process.channel?.unref()
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        resolve()
        process.once(signal, () => process.exit(130))
      })
  })
}
