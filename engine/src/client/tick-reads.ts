import { ClientError } from '../protocol/client-error.ts'
import { checkKey, type Key } from '../protocol/key.ts'
import { ResultCode } from '../values/result-code.ts'
import { BatchCall, MAX_PART_ROWS } from './batch-call.ts'
import type { Command } from './command.ts'
import type { Policy } from './policy.ts'
import { type ClientRecord, readRecord } from './record.ts'
import type { Sender } from './record-call.ts'
import type { BatchRow } from './request-writer.ts'
import { thrown } from './retry.ts'

interface Asked {
  readonly row: BatchRow
  readonly resolve: (record: ClientRecord | undefined) => void
  readonly reject: (error: Error) => void
}

interface Group {
  readonly policy: Policy
  readonly asked: Asked[]
}

/**
 * Reads that are asked for in one tick and go out as one batch to each node: less to send and to answer than as many
 * requests. Reads whose times and tries differ make batches of their own. A tick that asks for more than one request
 * holds does not wait for its end.
 */
export class TickReads {
  readonly #sender: Sender
  #groups = new Map<string, Group>()

  constructor(sender: Sender) {
    this.#sender = sender
  }

  get(key: Key, command: Command, policy: Policy): Promise<ClientRecord | undefined> {
    checkKey(key.key)
    const { timeout, socketTimeout, retries, waits } = policy
    const like = `${timeout} ${socketTimeout} ${retries} ${waits}`
    let group = this.#groups.get(like)
    if (!group) {
      if (this.#groups.size === 0) this.#flushAfterTick()
      this.#groups.set(like, (group = { policy, asked: [] }))
    }
    const { asked } = group
    const promise = new Promise<ClientRecord | undefined>((resolve, reject) => {
      asked.push({ row: { key, command }, resolve, reject })
    })
    if (asked.length >= MAX_PART_ROWS) {
      this.#groups.delete(like)
      this.#send(group)
    }
    return promise
  }

  /** When all that is settled already has been gone on with, as that may ask for more. */
  #flushAfterTick(): void {
    queueMicrotask(() =>
      process.nextTick(() => {
        const groups = this.#groups
        this.#groups = new Map()
        for (const group of groups.values()) this.#send(group)
      }),
    )
  }

  #send({ policy, asked }: Group): void {
    const rows = asked.map(({ row }) => row)
    new BatchCall(this.#sender, rows, policy, readRecord).run().then(
      (results) =>
        results.forEach(({ code, record, message }, i) => {
          const { row, resolve, reject } = asked[i]!
          if (record || code === ResultCode.NOT_FOUND) resolve(record)
          else reject(new ClientError(code, { key: row.key, message }))
        }),
      (error: unknown) => {
        for (const { reject } of asked) reject(thrown(error))
      },
    )
  }
}
