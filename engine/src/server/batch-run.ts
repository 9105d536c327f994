/**
 * Works through the rows of one batch. A short batch is answered in one go. A long one is worked on in pieces, between
 * which other connections get their turn and this one's answers leave, so neither the memory for its answer nor the
 * time it takes at once depends on what the client asked for.
 *
 * A batch that turns out not to be one at some later row is refused whole, although the rows before it have been
 * worked on. That can be said only while none of its rows has left; so before the first piece leaves, all rows are
 * looked at. A batch known to be bad by then is worked on to its bad row with its answers dropped.
 *
 * In a cluster some rows are answered later, which clients know by their index; the batch is not over before.
 * Source: protocol notes, batch 2 and further facts.
 */
import type { Outcome } from '../namespace/namespace.ts'
import { isFilter } from '../operations/expression/expression.ts'
import type { AnswerWriter } from '../protocol/answer-writer.ts'
import { Info2, RequestMessage } from '../protocol/message.ts'
import type { ResponseBuffer } from '../protocol/response.ts'
import { ResultCode } from '../values/result-code.ts'
import { BatchReader } from './dispatch-batch.ts'
import type { LaterRows } from './later-rows.ts'

/** A piece ends with the frame that takes it past so many bytes, or after so many rows: some two milliseconds. */
const PIECE_BYTES = 1024 * 1024
const PIECE_ROWS = 1024

/** What rows are worked on by; it writes to the same answer. */
export interface BatchRows {
  /** False for a row whose namespace is not on this node. */
  knows(message: RequestMessage): boolean
  /** Undefined for such a row, `later` for one whose answer `laterRows` gets. */
  execute(message: RequestMessage, index: number): Outcome | 'later' | undefined
  /** Only in a cluster. */
  readonly laterRows?: LaterRows | undefined
}

export class BatchRun {
  readonly #rows: BatchRows
  readonly #reader = new BatchReader()
  #message = new RequestMessage()
  #answer: AnswerWriter | undefined
  #row = 0
  #failed: ResultCode = ResultCode.OK
  /** Set once a piece has left, or is about to: all rows have been looked at. */
  #looked = false
  #drops = false

  constructor(rows: BatchRows) {
    this.#rows = rows
  }

  get count(): number {
    return this.#reader.count
  }

  /** False when the message is no batch that has rows, or has a filter that is none. */
  open(message: RequestMessage, answer: AnswerWriter): boolean {
    this.#message = message
    this.#answer = answer
    this.#row = 0
    this.#failed = ResultCode.OK
    this.#looked = this.#drops = false
    const { buffer, filterStart: start, filterEnd: end } = message
    return this.#reader.open(message) && (start < 0 || isFilter({ buffer, start, end }))
  }

  /** Goes on with a copy of the request; answers how many bytes that takes. */
  keepRequest(): number {
    this.#message.buffer = this.#reader.keep()
    return this.#message.buffer.length
  }

  /** Appends the end of the answer; where some rows came later, after these. */
  finish(out: ResponseBuffer): void {
    this.fail(out, this.#code)
  }

  /** Appends the next piece of the answer to `out`; true when no row is left, and where none comes later, it is over. */
  run(out: ResponseBuffer): boolean {
    return this.#drops ? this.#runDropping(out) : this.#runAnswering(out)
  }

  /** Ends the answer with this code. */
  fail(out: ResponseBuffer, code: ResultCode): void {
    this.#answer!.single(out, code, true)
  }

  #runAnswering(out: ResponseBuffer): boolean {
    const answer = this.#answer!
    const reader = this.#reader
    const begin = out.length
    const lastRow = this.#row + PIECE_ROWS
    answer.beginFrame(out)
    while (this.#row < reader.count) {
      if (!this.#runRow(answer)) return this.#refuse(out, begin)
      if (++this.#row === reader.count) break
      const mustWait = this.#rows.laterRows?.isFull === true
      if (!answer.frameIsFull && this.#row < lastRow && !mustWait) continue
      answer.endFrame()
      if (out.length - begin >= PIECE_BYTES || this.#row >= lastRow || mustWait) {
        if (this.#mayLeave()) return false
        out.length = begin
        this.#drops = true
        this.#rows.laterRows?.drop()
        return false
      }
      answer.beginFrame(out)
    }
    answer.endFrame()
    if (this.#rows.laterRows?.isOpen) return true
    if (this.#code !== ResultCode.OK && reader.stopsAtFailure && !this.#looked) out.length = begin
    this.finish(out)
    return true
  }

  /** Of the batch as a whole. */
  get #code(): ResultCode {
    if (this.#reader.answersAll) return ResultCode.OK
    return this.#failed === ResultCode.OK ? (this.#rows.laterRows?.failed ?? ResultCode.OK) : this.#failed
  }

  #runDropping(out: ResponseBuffer): boolean {
    const answer = this.#answer!
    const begin = out.length
    const lastRow = this.#row + PIECE_ROWS
    while (this.#row < this.#reader.count) {
      answer.beginFrame(out)
      if (!this.#runRow(answer)) return this.#refuse(out, begin)
      out.length = begin
      if (++this.#row >= lastRow) return false
    }
    this.fail(out, this.#failed)
    return true
  }

  #runRow(answer: AnswerWriter): boolean {
    const message = this.#message
    const reader = this.#reader
    if (!reader.next(message)) return false
    answer.beginMessage((message.info2 & Info2.WRITE) === 0)
    const outcome = this.#rows.execute(message, reader.index)
    if (!outcome) return false
    if (outcome === 'later') {
      answer.dropMessage()
      return true
    }
    const { code, generation, voidTime } = outcome
    answer.endMessage(code, generation, voidTime, reader.index)
    if (code !== ResultCode.OK && code !== ResultCode.NOT_FOUND && code !== ResultCode.FILTERED_OUT)
      this.#failed = code
    return true
  }

  #refuse(out: ResponseBuffer, begin: number): boolean {
    this.#rows.laterRows?.drop()
    out.length = begin
    this.fail(out, ResultCode.PARAMETER)
    return true
  }

  /** False when rows must not be told any more, now or later. */
  #mayLeave(): boolean {
    if (this.#looked) return true
    this.#looked = true
    if (this.#failed !== ResultCode.OK && this.#reader.stopsAtFailure) return false
    const message = new RequestMessage()
    const reader = new BatchReader()
    reader.openAgain(this.#reader, message)
    for (let row = 0; row < reader.count; row++)
      if (!reader.next(message) || !this.#rows.knows(message)) return false
    return true
  }
}
