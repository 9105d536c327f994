/**
 * The engine as the store runs it: a few nodes on this machine, started together and stopped together. Which nodes there
 * are changes in order: those that are to leave are started once more, hand over what they hold, and are stopped then.
 */
import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import type { EngineProcess, EngineProcessOptions } from './engine-process.ts'
import { eventually } from './eventually.ts'
import { StartFailure } from './start-failure.ts'
import { setRoster } from './stock-roster.ts'

export interface EngineCluster {
  readonly addresses: readonly string[]
  /** Resolves with a reason when no node is left. */
  readonly ended: Promise<string>
  /** Asks all to stop, and waits until their data is safe. */
  stop(): Promise<void>
}

export interface EngineClusterOptions {
  readonly nodes: number
  /** Of the first node; the others follow in steps of ten. 0 takes any free ones. */
  readonly port: number
  /** Of the first node; those of the others are beside it. */
  readonly folder: string
  readonly acceptDamage: boolean
  readonly onLine: (line: string) => void
}

/** What a cluster needs of the world. */
export interface EngineClusterWorld {
  start(options: EngineProcessOptions): Promise<EngineProcess>
  /** One info command's answer by the node at `host:port`. */
  ask(address: string, command: string): Promise<string>
}

const PORT_STEP = 10
/** A node's port for other nodes is that much above its port for clients. */
const MESH_BEHIND = 2
/** Time for nodes to find each other, and for one that leaves to hand over what it has. */
const JOIN_MS = 60_000
const HAND_OVER_MS = 600_000

/** @throws StartFailure with one line that says what to do */
export async function startEngineCluster(
  options: EngineClusterOptions,
  world: EngineClusterWorld,
): Promise<EngineCluster> {
  const { nodes, folder, onLine } = options
  const known = knownNodes(folder)
  if (nodes === 1 && known === 1 && !existsSync(`${folder}/cluster.state`)) return alone(options, world)
  const count = Math.max(nodes, known)
  const engines = await startAll(count, options, world)
  let isOver = false
  const stop = async (some: readonly EngineProcess[]): Promise<void> => {
    await Promise.all(some.map((engine) => engine.stop()))
  }
  try {
    await joined(engines, world)
    await setRoster(engines.slice(0, nodes), (address, command) => world.ask(address, command))
    const leaving = engines.slice(nodes)
    if (leaving.length > 0) {
      onLine(`${leaving.length} of ${count} engine nodes leave; what they hold moves to the others`)
      await handOver(engines, leaving, world)
      await stop(leaving)
      await putAside(folder, nodes, count)
    }
  } catch (error) {
    isOver = true
    await stop(engines)
    throw error
  }
  const staying = engines.slice(0, nodes)
  const ends = staying.map(async (engine, i) => {
    const reason = await engine.ended
    if (!isOver) onLine(`${reason} (node ${i + 1} at ${engine.address}); the others go on`)
    return reason
  })
  return {
    addresses: staying.map(({ address }) => address),
    ended: Promise.all(ends).then((reasons) => reasons[0]!),
    stop: () => {
      isOver = true
      return stop(staying)
    },
  }
}

async function alone(
  { port, folder, acceptDamage, onLine }: EngineClusterOptions,
  world: EngineClusterWorld,
): Promise<EngineCluster> {
  const engine = await world.start({ port, folder, acceptDamage, onLine })
  return { addresses: [engine.address], ended: engine.ended, stop: () => engine.stop() }
}

const folderOf = (folder: string, index: number): string => (index === 0 ? folder : `${folder}-${index + 1}`)

/** Nodes that have been there before; the first one's folder is that of a store with one node. */
function knownNodes(folder: string): number {
  let count = 1
  while (existsSync(folderOf(folder, count))) count++
  return count
}

async function startAll(
  count: number,
  { port, folder, acceptDamage, onLine }: EngineClusterOptions,
  world: EngineClusterWorld,
): Promise<EngineProcess[]> {
  const meshPorts = Array.from({ length: count }, (_, i) => port + i * PORT_STEP + MESH_BEHIND)
  const start = (index: number, seeds: readonly string[]): Promise<EngineProcess> =>
    world.start({
      port: port === 0 ? 0 : port + index * PORT_STEP,
      folder: folderOf(folder, index),
      ...{ acceptDamage, onLine: (line: string) => onLine(`node ${index + 1}: ${line}`) },
      cluster: { port: port === 0 ? 0 : meshPorts[index]!, seeds },
    })
  if (port === 0) return startInTurn(count, start)
  const others = (index: number) =>
    meshPorts.filter((_, i) => i !== index).map((meshPort) => `127.0.0.1:${meshPort}`)
  const results = await Promise.allSettled(meshPorts.map((_, index) => start(index, others(index))))
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const failed = results.find((result) => result.status === 'rejected')
  if (!failed) return started
  await Promise.all(started.map((engine) => engine.stop()))
  throw failed.reason
}

/** Where ports are not known before, each node is told of those that are there. */
async function startInTurn(
  count: number,
  start: (index: number, seeds: readonly string[]) => Promise<EngineProcess>,
): Promise<EngineProcess[]> {
  const engines: EngineProcess[] = []
  try {
    for (let i = 0; i < count; i++)
      engines.push(
        await start(
          i,
          engines.map(({ meshAddress }) => meshAddress ?? ''),
        ),
      )
    return engines
  } catch (error) {
    await Promise.all(engines.map((engine) => engine.stop()))
    throw error
  }
}

/** All of them are in one view. */
async function joined(engines: readonly EngineProcess[], world: EngineClusterWorld): Promise<void> {
  const command = `cluster-stable:size=${engines.length};ignore-migrations=true`
  const inTime = await eventually(JOIN_MS, () => agree(engines, command, world))
  if (!inTime)
    throw new StartFailure(
      `The ${engines.length} engine nodes did not find each other within ${JOIN_MS / 1000} s; is a firewall between ${engines.map(({ address }) => address).join(', ')}?`,
    )
}

/** What those that leave hold is on the others, and nobody asks them any more. */
async function handOver(
  engines: readonly EngineProcess[],
  leaving: readonly EngineProcess[],
  world: EngineClusterWorld,
): Promise<void> {
  for (const { address } of leaving) await world.ask(address, 'quiesce:')
  await world.ask(engines[0]!.address, 'recluster:')
  const isDone = async (): Promise<boolean> => {
    const answers = await Promise.all(leaving.map(({ address }) => world.ask(address, 'replicas-master')))
    const maps = answers.flatMap((answer) => answer.split(';')).map((map) => map.split(':')[1] ?? '')
    if (!maps.every((map) => Buffer.from(map, 'base64').every((byte) => byte === 0))) return false
    return agree(engines, `cluster-stable:size=${engines.length}`, world)
  }
  if (!(await eventually(HAND_OVER_MS, isDone)))
    throw new StartFailure(
      `The engine nodes that are to leave have not handed over all they hold within ${HAND_OVER_MS / 60_000} minutes; nothing is lost: start again with as many --nodes as before`,
    )
}

/** Nobody takes them for nodes that stay; what they hold lies on the others, too. */
async function putAside(folder: string, nodes: number, count: number): Promise<void> {
  const at = new Date().toISOString().replace(/[:.]/g, '-')
  for (let i = nodes; i < count; i++) {
    const path = folderOf(folder, i)
    await rename(path, `${path}.left-${at}`)
  }
}

/** Whether all answer the same cluster key. */
async function agree(
  engines: readonly EngineProcess[],
  command: string,
  world: EngineClusterWorld,
): Promise<boolean> {
  const answers = await Promise.all(
    engines.map(({ address }) => world.ask(address, command).catch(() => 'ERROR')),
  )
  return !answers[0]!.startsWith('ERROR') && new Set(answers).size === 1
}
