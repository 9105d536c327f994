import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { StartFailure } from './start-failure.ts'

export interface EngineProcess {
  readonly address: string
  /** Where other nodes reach it, when it is one of several. */
  readonly meshAddress: string | undefined
  readonly pid: number
  /** Resolves with a reason when the process ends without having been asked to. */
  readonly ended: Promise<string>
  /** Asks it to stop, and waits until its data is safe. */
  stop(): Promise<void>
}

export interface EngineProcessOptions {
  readonly port: number
  /** Where it keeps its files; made when it is missing. */
  readonly folder: string
  /** Start on damaged files although records may be lost or old. */
  readonly acceptDamage?: boolean
  /** Makes it one of several: its port for other nodes (0 takes any free one), and where they are. */
  readonly cluster?: { readonly port: number; readonly seeds: readonly string[] }
  /** What it says of its recovery while it starts. */
  readonly onLine?: (line: string) => void
  /** Another program than the larder command, for tests. */
  readonly command?: string
}

/** Time for a clean stop; an engine that needs longer is killed, and recovers from its log at the next start. */
const STOP_MS = 30_000
const LINES_KEPT = 20
const listening = /serves (\S+:\d+)(?:, other nodes at (\S+:\d+))?/

const larderCommand = () =>
  join(dirname(createRequire(import.meta.url).resolve('@larder/engine/package.json')), 'src/cli/larder.ts')

function clusterFlags({ cluster }: EngineProcessOptions): string[] {
  if (!cluster) return []
  return ['--mesh-port', String(cluster.port), ...cluster.seeds.flatMap((seed) => ['--seed', seed])]
}

/**
 * Starts an engine node with the store's two namespaces: `shop`, written to disk in short intervals, and `stock`,
 * where no answer leaves before its write is on disk, and which is strongly consistent where there are several nodes.
 *
 * @throws StartFailure with the last line the process wrote when it ends before it serves
 */
export async function startEngine(options: EngineProcessOptions): Promise<EngineProcess> {
  const command = options.command ?? larderCommand()
  const flags = ['--port', String(options.port), '--folder', options.folder, ...clusterFlags(options)]
  if (options.acceptDamage) flags.push('--accept-damage')
  const strong = options.cluster ? ',strong' : ''
  const namespaces = ['--namespace', 'shop,flush', '--namespace', `stock,commit${strong}`]
  // A process group of its own, so that Ctrl-C reaches the store first, which then stops the engine last.
  const guard = ['--import', new URL('stop-with-parent.ts', import.meta.url).href]
  const child = spawn(process.execPath, [...guard, command, 'server', ...flags, ...namespaces], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  const lines: string[] = []
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => resolve(signal ? `signal ${signal}` : `exit code ${code}`))
  })
  const serving = new Promise<RegExpExecArray>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line)
        if (lines.length > LINES_KEPT) lines.shift()
        const found = listening.exec(line)
        if (found) resolve(found)
        // Why it does not start is said once, by the failure.
        else if (!line.startsWith('larder: ')) options.onLine?.(line)
      })
  })
  // Should this process die without stopping it, the engine goes with it.
  const killed = () => child.kill('SIGTERM')
  process.once('exit', killed)
  const first = await Promise.race([serving.then((at) => ({ at })), exited.then((reason) => ({ reason }))])
  if ('reason' in first) {
    process.off('exit', killed)
    throw new StartFailure(
      (lines.findLast((line) => line.trim() !== '') ?? `The engine ended at once (${first.reason})`).replace(
        /--(mesh-)?port/,
        '--engine-port',
      ),
    )
  }
  let asked = false
  return {
    address: first.at[1]!,
    meshAddress: first.at[2],
    pid: child.pid!,
    ended: new Promise((resolve) => {
      void exited.then((reason) => {
        if (!asked) resolve(`The engine node ended (${reason}): ${lines.at(-1) ?? ''}`)
      })
    }),
    stop: async () => {
      asked = true
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await exited
      clearTimeout(timer)
      process.off('exit', killed)
    },
  }
}
