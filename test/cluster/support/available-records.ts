import { type Client, ClientError, op, type Key } from '@larder/engine'
import {
  checkNothingLost,
  checkWhole,
  type FinalState,
} from '../../../engine/src/simulator/cluster-checks.ts'
import type { Operation } from '../../../engine/src/simulator/cluster-clients.ts'
import type { Workload } from './load.ts'

export interface RecordsOptions {
  /** Each operation is done by any of them. */
  readonly clients: readonly Client[]
  readonly namespace: string
  /** Counters, and as many notes. */
  readonly records: number
  /** ms of one operation, with its further tries. */
  readonly timeout?: number
}

const share = { reads: 0.2, counts: 0.5, deletes: 0.3 }

/**
 * What clients did to the records of an available namespace, held against what it promises. Counters: every operation
 * adds one and its own word to a log. Notes: every operation puts a word of its own, or deletes.
 */
export class AvailableRecords implements Workload {
  readonly operations: Operation[] = []
  readonly #options: RecordsOptions
  readonly #counters: readonly string[]
  readonly #notes: readonly string[]

  constructor(options: RecordsOptions) {
    this.#options = options
    const { records } = options
    this.#counters = Array.from({ length: records }, (_, i) => `c${i}`)
    this.#notes = Array.from({ length: records }, (_, i) => `n${i}`)
  }

  get keys(): readonly string[] {
    return [...this.#counters, ...this.#notes]
  }

  key(name: string): Key {
    return { namespace: this.#options.namespace, set: 'history', key: name }
  }

  async once(): Promise<void> {
    const { clients, timeout = 2000 } = this.#options
    if (Math.random() < share.reads) {
      await pick(clients).get(this.key(pick(this.keys)), { timeout })
      return
    }
    const kind = Math.random() < share.counts ? 'count' : Math.random() < share.deletes ? 'delete' : 'put'
    const operation: Operation = {
      kind,
      key: pick(kind === 'count' ? this.#counters : this.#notes),
      word: `${this.operations.length}.`,
      began: performance.now(),
      ended: undefined,
      outcome: 'in doubt',
      log: undefined,
    }
    this.operations.push(operation)
    try {
      operation.log = await this.#do(operation, timeout)
      operation.outcome = 'ok'
    } catch (error) {
      if (error instanceof ClientError && !error.inDoubt) operation.outcome = 'refused'
      throw error
    } finally {
      operation.ended = performance.now()
    }
  }

  /** How the records stand, asked of one client. */
  async state(client = this.#options.clients[0]!): Promise<FinalState> {
    const records = await client.getMany(this.keys.map((key) => this.key(key)))
    return new Map(records.map((record, i) => [this.keys[i]!, textOf(record?.bins.log)]))
  }

  /** Records that are not one version whole, which no faults excuse. */
  torn(state: FinalState): string[] {
    return checkWhole(this.operations, state)
  }

  /** Where the promises are broken, now that fewer than RF nodes were lost at a time. */
  violations(state: FinalState): string[] {
    return [...this.torn(state), ...checkNothingLost(this.operations, state)]
  }

  async #do({ kind, key, word }: Operation, timeout: number): Promise<string | undefined> {
    const client = pick(this.#options.clients)
    const name = this.key(key)
    if (kind === 'delete') return void (await client.remove(name, { timeout }))
    if (kind === 'put') {
      await client.put(name, { log: word }, { timeout })
      return word
    }
    const steps = [op.add('n', 1), op.append('log', word), op.read('log')]
    return textOf((await client.operate(name, steps, { timeout })).bins.log)
  }
}

export const pick = <T>(all: readonly T[]): T => all[Math.floor(Math.random() * all.length)]!

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
