import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { NodeConfig } from '@larder/engine'
import { requestInfo } from '../../../engine/src/cli/info-request.ts'
import { eventually } from '../../support/eventually.ts'

const top = join(import.meta.dirname, '../../..')
const larder = join(top, 'engine/src/cli/larder.ts')
/** Ends the node when this process is gone, however that ended. */
const guard = new URL('../../../shop-api/src/start/stop-with-parent.ts', import.meta.url).href
const linesKept = 400
const readyMs = 20_000
const stopMs = 20_000

export interface NodeSetup {
  readonly id: string
  /** Of this node alone: its files and its configuration. */
  readonly folder: string
  readonly config: NodeConfig & { readonly port: number }
  /** A command that runs the node's: its arguments come first, as in `['ip', 'netns', 'exec', 'a']`. */
  readonly within?: readonly string[]
  readonly host?: string
}

/** A `larder server` of its own, that can be killed, paused and started again on its folder. */
export class NodeProcess {
  readonly id: string
  readonly host: string
  readonly port: number
  /** The last lines it said, over all its starts. */
  readonly lines: string[] = []
  readonly #setup: NodeSetup
  readonly #file: string
  #child: ChildProcess | undefined
  #isPaused = false

  constructor(setup: NodeSetup) {
    this.id = setup.id
    this.host = setup.host ?? '127.0.0.1'
    this.port = setup.config.port
    this.#setup = setup
    this.#file = join(setup.folder, 'larder.config.mjs')
  }

  get address(): string {
    return `${this.host}:${this.port}`
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error(`${this.id} does not run`)
    return pid
  }

  /** Starts it, without waiting for anything. */
  launch(): void {
    if (this.#child) throw new Error(`${this.id} runs already`)
    const { folder, config, within = [] } = this.#setup
    mkdirSync(folder, { recursive: true })
    const whole = { nodeId: this.id, host: this.host, ...config }
    writeFileSync(this.#file, `export default ${JSON.stringify(whole)}\n`)
    const command = [
      ...within,
      process.execPath,
      ...['--import', guard, larder, 'server', '--config', this.#file],
    ]
    const child = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'], cwd: folder })
    this.#child = child
    this.#isPaused = false
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => this.#heed(line))
    const kill = () => child.kill('SIGKILL')
    process.once('exit', kill)
    child.once('exit', (code, signal) => {
      process.off('exit', kill)
      this.#heed(`(ended: ${signal ?? `exit code ${code}`})`)
      if (this.#child === child) this.#child = undefined
    })
  }

  /** Starts it and waits until it has joined and says that it holds its share of the partitions. */
  async start(): Promise<void> {
    this.launch()
    await this.whenReady()
  }

  async whenReady(): Promise<void> {
    await eventually(
      async () => {
        if (!this.#child) throw new Error('it has ended')
        return (await this.info('partition-generation')) !== '-1'
      },
      { what: `${this.id} to join`, ms: readyMs, seen: () => this.lines.slice(-20).join('\n') },
    )
  }

  /** The end that nobody can prepare for. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** The orderly end. */
  async stop(): Promise<void> {
    this.resume()
    const late = setTimeout(() => this.#child?.kill('SIGKILL'), stopMs)
    await this.#end('SIGTERM')
    clearTimeout(late)
  }

  pause(): void {
    this.#child?.kill('SIGSTOP')
    this.#isPaused = true
  }

  resume(): void {
    if (this.#isPaused) this.#child?.kill('SIGCONT')
    this.#isPaused = false
  }

  async info(name: string): Promise<string> {
    const answers = await requestInfo(this, [name])
    return answers.get(name) ?? ''
  }

  /** A statistic of `statistics`, or of the info command named. */
  async statistic(name: string, command = 'statistics'): Promise<string | undefined> {
    const fields = (await this.info(command)).split(';')
    return fields.find((field) => field.startsWith(`${name}=`))?.slice(name.length + 1)
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child
    if (!child) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }

  #heed(line: string): void {
    this.lines.push(line)
    if (this.lines.length > linesKept) this.lines.shift()
  }
}
