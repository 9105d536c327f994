/** Starts the servers under test and the generator, pinned to one core each, and reads what they cost. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CpuQuota } from './cpu-quota.ts'

const generatorSource = join(import.meta.dirname, 'generator')
const larder = join(import.meta.dirname, '../../engine/src/cli/larder.ts')
const clockTicksPerSecond = 100

/** What one run of the generator printed; times in microseconds, from the moment the group was sent. */
export interface Load {
  operations: number
  records: number
  errors: number
  seconds: number
  perSecond: number
  generatorCpuSeconds: number
  p50Micros: number
  p99Micros: number
  p999Micros: number
  maxMicros: number
}

export interface Measured extends Load {
  /** Server CPU per operation, user and system, in microseconds. */
  serverMicros: number
  /** Share of its core that each side used while the load ran: who was the bottleneck. */
  serverBusy: number
  generatorBusy: number
}

function commandExists(name: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

let built: string | undefined

/** Builds the generator once per run; needs Go. */
export function generator(): string {
  if (built) return built
  const folder = temporaryFolder('generator')
  const target = join(folder, 'generator')
  execFileSync('go', ['build', '-o', target, '.'], { cwd: generatorSource, stdio: 'inherit' })
  built = target
  return target
}

const folders: string[] = []

export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `larder-bench-${name}-`))
  folders.push(folder)
  return folder
}

export function removeTemporaryFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  await new Promise((resolve) => server.close(resolve))
  return port
}

function pinned(core: number, command: string, args: readonly string[]): [string, string[]] {
  if (availableParallelism() > core && commandExists('taskset'))
    return ['taskset', ['-c', String(core), command, ...args]]
  return [command, [...args]]
}

export interface LarderOptions {
  readonly traceGc?: boolean
  /** Any free one unless told. */
  readonly port?: number
  readonly quota?: CpuQuota
  /** Takes any core; else all servers share one. */
  readonly floats?: boolean
}

export class ServerProcess {
  readonly port: number
  startedInMs = 0
  readonly #child: ChildProcess

  /** The longest stop for garbage collection that the process told of, in ms; only with `traceGc`. */
  longestGcMs = 0

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  static async start(
    command: string,
    args: readonly string[],
    port: number,
    floats = false,
  ): Promise<ServerProcess> {
    const [placedCommand, placedArgs] = floats ? ([command, args] as const) : pinned(0, command, args)
    const began = performance.now()
    const child = spawn(placedCommand, placedArgs, { stdio: ['ignore', 'pipe', 'inherit'] })
    const server = new ServerProcess(child, port)
    createInterface({ input: child.stdout }).on('line', (line) => server.#heed(line))
    while (!(await accepts(port))) {
      if (child.exitCode !== null)
        throw new Error(`${command} ${args.join(' ')} ended with ${child.exitCode}`)
      if (performance.now() - began > 120_000) throw new Error(`${command} did not open port ${port}`)
      await sleep(5)
    }
    server.startedInMs = performance.now() - began
    return server
  }

  /** A node; with `traceGc` its process tells how long garbage collection stops it. */
  static async larder(args: readonly string[], options: LarderOptions = {}): Promise<ServerProcess> {
    const { traceGc = false, port = await freePort(), quota, floats } = options
    const flags = traceGc ? ['--trace-gc'] : []
    const all = [...flags, larder, 'server', '--port', String(port), ...args]
    const command = quota?.command(process.execPath, all) ?? ([process.execPath, all] as const)
    return ServerProcess.start(...command, port, floats)
  }

  /** As in `Scavenge 24.1 (46.3) -> 20.3 (46.5) MB, pooled: 0.0 MB, 1.92 / 0.00 ms`. */
  #heed(line: string): void {
    const stopped = / (\d+\.\d+) \/ \d+\.\d+ ms/.exec(line)
    if (stopped) this.longestGcMs = Math.max(this.longestGcMs, Number(stopped[1]))
  }

  static async redis(): Promise<ServerProcess> {
    const port = await freePort()
    return ServerProcess.start(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
      port,
    )
  }

  static async echo(requestSize: number, answerSize: number): Promise<ServerProcess> {
    const port = await freePort()
    const script = join(import.meta.dirname, 'echo-server.ts')
    return ServerProcess.start(
      process.execPath,
      [script, String(port), String(requestSize), String(answerSize)],
      port,
    )
  }

  /** User and system CPU since start, in seconds. */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / clockTicksPerSecond
  }

  /** Memory held, file pages not counted, in bytes. */
  memoryBytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill(signal)
    await ended
  }
}

async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    socket.once('connect', () => resolve((socket.destroy(), true)))
    socket.once('error', () => resolve(false))
  })
}

/**
 * Runs the generator against a server, or the `ports` of several, and adds what they spent meanwhile. Answers that are
 * errors make it fail, unless they are what is measured.
 */
export async function load(
  server: Pick<ServerProcess, 'cpuSeconds'> & { readonly port?: number },
  flags: Record<string, string | number | true>,
  countsErrors = false,
): Promise<Measured> {
  const all: typeof flags = { ...(server.port === undefined ? {} : { port: server.port }), ...flags }
  const args = Object.entries(all).map(([name, value]) => `-${name}=${value}`)
  const [command, pinnedArgs] = pinned(1, generator(), args)
  const before = server.cpuSeconds()
  const child = spawn(command, pinnedArgs, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`the generator ended with ${String(code)}`)
  const spent = server.cpuSeconds() - before
  const result = JSON.parse(output) as Load
  if (result.errors > 0 && !countsErrors)
    throw new Error(`${result.errors} of ${result.operations} answers were errors`)
  return {
    ...result,
    serverMicros: (spent / result.operations) * 1e6,
    serverBusy: spent / result.seconds,
    generatorBusy: result.generatorCpuSeconds / result.seconds,
  }
}

/** True where the machine has what a comparison needs; says what is missing otherwise. */
export function has(...commands: string[]): boolean {
  const missing = commands.filter((command) => !commandExists(command) && !existsSync(command))
  if (missing.length > 0) console.log(`  left out: needs ${missing.join(' and ')}, which this machine lacks`)
  return missing.length === 0
}
