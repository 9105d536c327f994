import { ClientError } from '@larder/engine'
import { setTimeout as sleep } from 'node:timers/promises'

/** One kind of work that many clients do at once. */
export interface Workload {
  /** Does one operation and records it; fails as the operation does. */
  once(): Promise<void>
}

/** An operation that a client saw fail. */
export interface Failure {
  /** By `performance.now()`. */
  readonly began: number
  readonly ended: number
  readonly error: ClientError
}

export interface LoadOptions {
  readonly clients: number
  /** Between two operations of one client. */
  readonly pauseMs: number
}

/** Clients that do one operation after the other until they are stopped. */
export class Load {
  readonly failures: Failure[] = []
  done = 0
  readonly #workload: Workload
  readonly #clients: Promise<void>[]
  #isStopped = false

  constructor(workload: Workload, { clients, pauseMs }: LoadOptions) {
    this.#workload = workload
    this.#clients = Array.from({ length: clients }, () => this.#work(pauseMs))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#clients)
  }

  /** Failures of operations that began at this time or later, as text. */
  failedSince(time: number): string[] {
    return this.failures
      .filter(({ began }) => began >= time)
      .map(({ began, ended, error }) => {
        return `${(began - time).toFixed()} to ${(ended - time).toFixed()} ms: ${error.message}`
      })
  }

  async #work(pauseMs: number): Promise<void> {
    while (!this.#isStopped) {
      const began = performance.now()
      try {
        await this.#workload.once()
        this.done++
      } catch (error) {
        if (!(error instanceof ClientError)) throw error
        this.failures.push({ began, ended: performance.now(), error })
      }
      await sleep(Math.random() * 2 * pauseMs)
    }
  }
}
