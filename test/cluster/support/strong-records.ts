import { type Client, ClientError, op, type Key } from '@larder/engine'
import {
  linearizability,
  maxOperations,
  type Operation,
} from '../../../engine/src/simulator/linearizability.ts'
import { pick, type RecordsOptions, textOf } from './available-records.ts'
import type { Workload } from './load.ts'

interface History {
  readonly key: string
  readonly operations: Operation[]
  /** Under way. */
  open: number
}

const share = { reads: 0.35, deletes: 0.15 }
const maxSteps = 200_000

/**
 * What clients did to the records of a strong namespace. Every record has a short life, as the checker's time grows
 * with its history; a new one takes its place, and so there are always as many records at work.
 */
export class StrongRecords implements Workload {
  readonly #options: RecordsOptions
  readonly #live: History[]
  readonly #ended: History[] = []
  #keys = 0
  #tokens = 0

  constructor(options: RecordsOptions) {
    this.#options = options
    this.#live = Array.from({ length: options.records }, () => this.#begin())
  }

  get histories(): number {
    return this.#live.length + this.#ended.length
  }

  async once(): Promise<void> {
    const history = this.#take()
    const kind = Math.random() < share.reads ? 'read' : Math.random() < share.deletes ? 'delete' : 'append'
    history.open++
    const operation = { kind, invoked: performance.now(), token: `<${this.#tokens++}>` } as const
    try {
      const value = await this.#do(operation, history.key)
      history.operations.push({ ...operation, value, returned: performance.now() })
    } catch (error) {
      // What was refused was not done: no operation, and should it show all the same, no order explains it.
      if (error instanceof ClientError && error.inDoubt)
        history.operations.push({ ...operation, returned: undefined })
      throw error
    } finally {
      history.open--
    }
  }

  /** Reads every record once more, and says which histories no order explains, or none was found in time. */
  async violations(): Promise<{ broken: string[]; gaveUp: number }> {
    const broken: string[] = []
    let gaveUp = 0
    for (const history of [...this.#ended, ...this.#live]) {
      const invoked = performance.now()
      const value = await this.#do({ kind: 'read' }, history.key)
      history.operations.push({ kind: 'read', invoked, value, returned: performance.now() })
      const verdict = linearizability(checkable(history.operations), undefined, maxSteps)
      if (verdict === 'gave up') gaveUp++
      if (verdict === 'not linearizable') broken.push(describeHistory(history))
    }
    return { broken, gaveUp }
  }

  #begin(): History {
    return { key: `s${this.#keys++}`, operations: [], open: 0 }
  }

  /** A record that has room for one operation and for the last read. */
  #take(): History {
    const history = pick(this.#live)
    if (history.operations.length + history.open < maxOperations - 2) return history
    const next = this.#begin()
    this.#live[this.#live.indexOf(history)] = next
    this.#ended.push(history)
    return next
  }

  async #do(
    { kind, token = '' }: Pick<Operation, 'kind' | 'token'>,
    name: string,
  ): Promise<string | undefined> {
    const { clients, namespace, timeout = 2000 } = this.#options
    const client = pick(clients)
    const key: Key = { namespace, set: 'history', key: name }
    const policy = { timeout, waits: true }
    if (kind === 'read') return logOf(client, key, timeout)
    if (kind === 'delete') return void (await client.remove(key, { ...policy, durableDelete: true }))
    return textOf((await client.operate(key, [op.append('log', token), op.read('log')], policy)).bins.log)
  }
}

async function logOf(client: Client, key: Key, timeout: number): Promise<string | undefined> {
  const record = await client.get(key, { readMode: 'linearize', timeout, waits: true })
  return textOf(record?.bins.log)
}

/**
 * The history as the checker takes it. What a write in doubt made of the record nobody was told, but as its token is
 * the only one of its kind, whoever saw it says so; one that nobody saw is as good as none.
 */
export function checkable(operations: readonly Operation[]): Operation[] {
  return operations.flatMap((operation) => {
    const { kind, returned, token = '' } = operation
    if (kind !== 'append' || returned !== undefined) return [operation]
    const seen = operations.find(({ value }) => value?.includes(token))?.value
    return seen === undefined
      ? []
      : [{ ...operation, value: seen.slice(0, seen.indexOf(token) + token.length) }]
  })
}

function describeHistory({ key, operations }: History): string {
  const lines = [...operations]
    .sort((a, b) => a.invoked - b.invoked)
    .map(({ kind, token, value, invoked, returned }) => {
      const times = `${invoked.toFixed(1)} to ${returned?.toFixed(1) ?? '?'}`
      return `  ${times} ${kind} ${kind === 'append' ? token : ''} -> ${value}`
    })
  return [`${key}:`, ...lines].join('\n')
}
