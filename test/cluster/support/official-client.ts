import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { eventually } from '../../support/eventually.ts'

/** What a client program says of itself at its end. */
export interface ClientReport {
  readonly done: number
  /** When each came, in ms since 1970. */
  readonly errors: readonly { readonly at: number; readonly text: string }[]
  readonly nodes: readonly string[]
  /** What it was told was written, and what it read at the end. */
  readonly wanted: Readonly<Record<string, number>>
  readonly found: Readonly<Record<string, number>>
}

/** A program over one of the official clients, that works until it is told to end. */
export class OfficialClient {
  readonly #child: ChildProcess
  readonly #lines: string[] = []

  private constructor(child: ChildProcess) {
    this.#child = child
    for (const stream of [child.stdout!, child.stderr!])
      createInterface({ input: stream }).on('line', (line) => this.#lines.push(line))
  }

  static async start(command: readonly string[], ports: readonly number[]): Promise<OfficialClient> {
    const [program, ...args] = [...command, ...ports.map(String)]
    const client = new OfficialClient(spawn(program!, args, { stdio: ['pipe', 'pipe', 'pipe'] }))
    await client.#says((line) => line === 'ready', 20_000)
    return client
  }

  async stop(): Promise<ClientReport> {
    this.#child.stdin!.end()
    const line = await this.#says((said) => said.startsWith('{'), 20_000)
    return JSON.parse(line) as ClientReport
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #says(isIt: (line: string) => boolean, ms: number): Promise<string> {
    return eventually(
      () => {
        if (this.#child.exitCode) throw new Error(`it ended with ${this.#child.exitCode}`)
        return this.#lines.find(isIt)
      },
      { what: 'a word of a client program', ms, seen: () => this.#lines.join('\n') },
    )
  }
}
