/**
 * One batch with its tries: rows are grouped by the node that owns them, each node gets its rows in requests of a
 * bounded size, and what a node did not answer is grouped anew over the partition map as it is then, and sent again
 * where that is safe. Every row ends with a code of its own. Source: protocol notes, batch.
 */
import { ClientCode, ClientError } from '../protocol/client-error.ts'
import { DIGEST_BYTES, partitionOf } from '../values/digest.ts'
import { ResultCode, ResultError } from '../values/result-code.ts'
import { AnswerMessage, checkMessageFrame, FRAME_HEADER_BYTES } from './answer-message.ts'
import { writes } from './command.ts'
import type { Policy } from './policy.ts'
import { laneOf, type Sender } from './record-call.ts'
import { type BatchRow, BatchWriter, writeKeyDigest } from './request-writer.ts'
import { Budget, codeOf, mayRetryAfter, mayRetryCode } from './retry.ts'
import type { Receiver, Way, WayError } from './way.ts'

/** Rows of one request; a node works on a request without a break. */
export const MAX_PART_ROWS = 4096
/** A request that has grown beyond this takes no further row. */
export const MAX_PART_BYTES = 4 * 1024 * 1024
/** Requests of more rows travel apart from single records. */
const BULK_ROWS = 64
const ANSWERED = -1

/** Codes that refuse a batch before any of its rows is begun. */
const refusedUnbegun = new Set<number>([
  ResultCode.BATCH_DISABLED,
  ResultCode.BATCH_TOO_LARGE,
  ResultCode.BATCH_QUEUES_FULL,
])

/** What became of one row. */
export interface RowResult<T> {
  /** Result code of this row, or a `ClientCode`. */
  readonly code: number
  /** Present when the row succeeded. */
  readonly record?: T
  /** True for a write that may have been done although no answer said so. */
  readonly inDoubt: boolean
  /** Present where the client has more to say than the code. */
  readonly message?: string
}

const message = new AnswerMessage()

export class BatchCall<T> {
  readonly #sender: Sender
  readonly #rows: readonly BatchRow[]
  readonly #read: (message: AnswerMessage, row: BatchRow) => T
  readonly #policy: Policy
  readonly #budget: Budget
  readonly #digests: Buffer
  readonly #results: RowResult<T>[]
  /** The request each row is in, `ANSWERED` when it is in none. */
  readonly #partOf: Int32Array
  #parts = 0
  /** Requests that are under way, and one while requests are being sent. */
  #open = 0
  #again: number[] = []
  #resolve: ((results: RowResult<T>[]) => void) | undefined

  constructor(
    sender: Sender,
    rows: readonly BatchRow[],
    policy: Policy,
    read: (message: AnswerMessage, row: BatchRow) => T,
  ) {
    this.#sender = sender
    this.#rows = rows
    this.#read = read
    this.#policy = policy
    this.#budget = new Budget(policy, sender.timeout)
    this.#digests = Buffer.allocUnsafe(rows.length * DIGEST_BYTES)
    this.#results = new Array<RowResult<T>>(rows.length)
    this.#partOf = new Int32Array(rows.length).fill(ANSWERED)
  }

  /** Rejects, with nothing sent, where a key is wrong; all else is said row by row. */
  async run(): Promise<RowResult<T>[]> {
    this.#rows.forEach(({ key }, i) => writeKeyDigest(this.#digests, i * DIGEST_BYTES, key))
    return new Promise((resolve) => {
      this.#resolve = resolve
      this.#send(this.#rows.map((_, i) => i))
    })
  }

  #send(indexes: readonly number[]): void {
    this.#open = 1
    const groups = new Map<Way, number[]>()
    for (const i of indexes) {
      const way = this.#wayOf(i)
      if (!way) continue
      const group = groups.get(way)
      if (group) group.push(i)
      else groups.set(way, [i])
    }
    for (const [way, group] of groups)
      for (let at = 0; at < group.length;) at = this.#sendPart(way, group, at)
    this.#closeOne()
  }

  #wayOf(i: number): Way | undefined {
    const { namespace } = this.#rows[i]!.key
    try {
      return this.#sender.routes.wayOf(
        namespace,
        partitionOf(this.#digests, i * DIGEST_BYTES),
        this.#budget.tried,
      )
    } catch (error) {
      this.#refuse(i, error)
      return undefined
    }
  }

  /** Sends the rows from `at` on that fit one request; answers where the next one begins. */
  #sendPart(way: Way, group: readonly number[], at: number): number {
    const { request } = this.#sender
    const { left } = this.#budget
    const part = ++this.#parts
    const members: number[] = []
    let hasWrite = false
    request.length = 0
    const writer = new BatchWriter(request, Math.ceil(left))
    for (; at < group.length && members.length < MAX_PART_ROWS && request.length < MAX_PART_BYTES; at++) {
      const i = group[at]!
      const row = this.#rows[i]!
      try {
        writer.add(row, i, this.#digests, i * DIGEST_BYTES)
      } catch (error) {
        this.#refuse(i, error)
        continue
      }
      hasWrite ||= writes(row.command)
      members.push(i)
      this.#partOf[i] = part
    }
    if (members.length === 0) return at
    writer.end()
    this.#open++
    const lane = members.length > BULK_ROWS ? 'bulk' : laneOf(hasWrite, this.#policy.waits)
    way.send(request, lane, left, this.#receiver(part, members))
    return at
  }

  #receiver(part: number, members: readonly number[]): Receiver {
    return {
      manyFrames: true,
      frame: (buffer, start, end) => {
        checkMessageFrame(buffer, start)
        for (let at = start + FRAME_HEADER_BYTES; at < end;) {
          message.open(buffer, at, end)
          if (message.last) {
            this.#endPart(part, members, message.code)
            return true
          }
          at = this.#take(part)
        }
        return false
      },
      failed: (error) => {
        for (const i of members) if (this.#partOf[i] === part) this.#lose(i, error)
        this.#closeOne()
      },
    }
  }

  /** Takes the row of the message that is open; answers where the message ends. */
  #take(part: number): number {
    const { row: i, code } = message
    const row = this.#rows[i]
    if (!row || this.#partOf[i] !== part)
      throw new RangeError(`row ${i} was not asked for, or is answered already`)
    this.#partOf[i] = ANSWERED
    const isWrite = writes(row.command)
    if (code === ResultCode.OK) this.#results[i] = { code, inDoubt: false, record: this.#read(message, row) }
    else {
      this.#results[i] = { code, inDoubt: isWrite && code === ResultCode.TIMEOUT }
      if (mayRetryCode(code, isWrite)) this.#again.push(i)
    }
    return message.skip()
  }

  /** Rows before the one for which a batch is refused have been worked on, so writes without an answer are in doubt. */
  #endPart(part: number, members: readonly number[], code: number): void {
    for (const i of members) {
      if (this.#partOf[i] !== part) continue
      this.#partOf[i] = ANSWERED
      const inDoubt = writes(this.#rows[i]!.command) && !refusedUnbegun.has(code)
      const refusal = 'the node refused the batch or left this row out'
      this.#results[i] = { code: code || ResultCode.SERVER_ERROR, inDoubt, message: refusal }
    }
    this.#closeOne()
  }

  /** The way failed before the row was answered. */
  #lose(i: number, error: WayError): void {
    const isWrite = writes(this.#rows[i]!.command)
    this.#partOf[i] = ANSWERED
    this.#results[i] = { code: codeOf(error), inDoubt: isWrite && error.sent, message: error.message }
    if (mayRetryAfter(error, isWrite)) this.#again.push(i)
  }

  /** The row cannot be sent: a wrong value, or no node. */
  #refuse(i: number, error: unknown): void {
    if (!(error instanceof ClientError || error instanceof ResultError)) throw error
    this.#results[i] = { code: error.code, inDoubt: false, message: error.message }
    if (error.code === ClientCode.CONNECTION) this.#again.push(i)
  }

  #closeOne(): void {
    if (--this.#open > 0) return
    const pause = this.#again.length === 0 ? -1 : this.#budget.pause()
    if (pause < 0) return this.#resolve!(this.#results)
    const again = this.#again
    this.#again = []
    setTimeout(() => this.#send(again), pause)
  }
}
