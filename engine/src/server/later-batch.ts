/**
 * A batch some of whose rows are answered later, or that has more rows than one piece takes. Goes on piece by piece:
 * rows are worked on, what has come of those asked for elsewhere is told, both only while there is room for answers.
 */
import { AnswerWriter } from '../protocol/answer-writer.ts'
import { ResponseBuffer } from '../protocol/response.ts'
import { ResultCode } from '../values/result-code.ts'
import type { BatchRun } from './batch-run.ts'
import { DeferredAnswer } from './deferred-answer.ts'
import type { LaterRows } from './later-rows.ts'
import type { SyncLedger } from './sync-ledger.ts'

/** Less than this is told only when nothing is waited for: a frame's worth. */
const TOLD_BYTES = 128 * 1024

export interface LaterBatchParts {
  readonly batch: BatchRun
  readonly later: LaterRows
  readonly ledger: SyncLedger
  /** Where an exception ended the batch. */
  readonly onFault: (error: unknown) => void
}

export class LaterBatch {
  readonly answer: DeferredAnswer
  readonly #batch: BatchRun
  readonly #later: LaterRows
  readonly #ledger: SyncLedger
  readonly #onFault: (error: unknown) => void
  readonly #out = new ResponseBuffer()
  readonly #writer = new AnswerWriter(this.#out)
  /** No row is left to be worked on. */
  #isRun: boolean
  /** A piece waits for the disk. */
  #isSyncing = false
  #isDue = false

  /** `first` is what there is of the answer, to leave when the ticket is synced; of `isRun` no row is left. */
  constructor(parts: LaterBatchParts, first: { bytes: Buffer; ticket: number; isRun: boolean }) {
    this.#batch = parts.batch
    this.#later = parts.later
    this.#ledger = parts.ledger
    this.#onFault = parts.onFault
    this.#isRun = first.isRun
    const kept = first.isRun ? 0 : this.#batch.keepRequest()
    this.answer = new DeferredAnswer(kept)
    this.answer.ticket = first.ticket
    this.answer.add(first.bytes)
    this.answer.onRoom = () => this.#soon()
    this.answer.onDropped = () => this.#later.drop()
    this.#later.onAnswered = () => this.#soon()
    this.#soon()
  }

  /** When what goes on now is over. */
  #soon(): void {
    if (this.#isDue) return
    this.#isDue = true
    queueMicrotask(() => this.#goOn())
  }

  /** When others have had their turn. */
  #takeTurn(): void {
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(() => this.#goOn())
  }

  #goOn(): void {
    this.#isDue = false
    if (this.answer.ended || this.#isSyncing || !this.answer.hasRoom) return
    try {
      this.#makePiece()
    } catch (error) {
      this.#onFault(error)
      this.#later.drop()
      this.#out.reset()
      this.#batch.fail(this.#out, ResultCode.SERVER_ERROR)
      this.#end()
    }
  }

  #makePiece(): void {
    const later = this.#later
    const out = this.#out
    const isQuiet = later.waiting === 0
    if (isQuiet || later.bytes >= TOLD_BYTES) later.tell(this.#writer, out)
    if (!this.#isRun) {
      if (later.isFull) return this.#leave(() => undefined)
      this.#isRun = this.#batch.run(out)
      if (this.#isRun && !later.isOpen) return this.#leave(() => this.#end())
      return this.#leave(() => this.#takeTurn())
    }
    if (!isQuiet) return this.#leave(() => undefined)
    this.#batch.finish(out)
    this.#leave(() => this.#end())
  }

  /** Lets what was made leave when it is synced. */
  #leave(then: () => void): void {
    const ticket = this.#ledger.take()
    if (ticket === 0) {
      this.#send()
      return then()
    }
    this.#isSyncing = true
    this.#ledger.whenSynced(ticket, (failed) => {
      this.#isSyncing = false
      if (failed) {
        this.#out.reset()
        this.#batch.fail(this.#out, ResultCode.SERVER_ERROR)
        return this.#end()
      }
      this.#send()
      then()
    })
  }

  #send(): void {
    const out = this.#out
    if (out.length > 0) this.answer.add(Buffer.from(out.buffer.subarray(0, out.length)))
    out.reset()
  }

  #end(): void {
    this.#send()
    this.answer.end()
  }
}
