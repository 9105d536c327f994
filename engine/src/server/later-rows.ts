/**
 * The rows of one batch whose answers come later: from other nodes, or when replicas have them. As many are asked for
 * at a time as one piece has room for, going by what has come so far.
 */
import type { AnswerWriter } from '../protocol/answer-writer.ts'
import { codeOfAnswer, rowAnswer } from '../protocol/record-request.ts'
import type { ResponseBuffer } from '../protocol/response.ts'
import { ResultCode } from '../values/result-code.ts'

/** Rows under way at once: before anything is known of their answers, and at most. */
const FIRST_WINDOW = 32
const LARGEST_WINDOW = 1024
/** Bytes of answers that the rows under way should make. */
const WINDOW_BYTES = 1024 * 1024

/** Asks for one row; answers what calls it off, 0 where it has been answered. */
export type AskForRow = (answer: (frame: Buffer) => void) => number

export class LaterRows {
  /** A row that failed, as the end of the batch tells it. */
  failed: ResultCode = ResultCode.OK
  /** When the client stops waiting for the batch, ms since 1970. */
  deadline = 0
  /** Called whenever a row has been answered. */
  onAnswered: (() => void) | undefined
  readonly #cancel: (id: number) => void
  #messages: Buffer[] = []
  #bytes = 0
  #waiting = 0
  readonly #asked = new Set<number>()
  #answers = 0
  #answerBytes = 0
  #dropped = false

  constructor(cancel: (id: number) => void) {
    this.#cancel = cancel
  }

  /** Some were asked for, and have not been told yet. */
  get isOpen(): boolean {
    return !this.#dropped && (this.#waiting > 0 || this.#messages.length > 0)
  }

  /** Another batch needs another one. */
  get isUsed(): boolean {
    return this.#dropped || this.#waiting > 0 || this.#answers > 0
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Bytes of answers that can be told. */
  get bytes(): number {
    return this.#bytes
  }

  /** No other one should be asked for now. */
  get isFull(): boolean {
    if (this.#dropped) return false
    const window =
      this.#answers === 0
        ? FIRST_WINDOW
        : Math.min(LARGEST_WINDOW, Math.floor((WINDOW_BYTES * this.#answers) / this.#answerBytes))
    return this.#bytes >= WINDOW_BYTES || (this.#waiting > 0 && this.#waiting >= window)
  }

  ask(index: number, isRead: boolean, ask: AskForRow): void {
    if (!this.#dropped) this.#waiting++
    let id = 0
    id = ask((frame) => {
      if (this.#dropped) return
      this.#waiting--
      if (id > 0) this.#asked.delete(id)
      this.#answers++
      this.#answerBytes += frame.length
      this.#note(codeOfAnswer(frame))
      const message = rowAnswer(frame, index, isRead)
      this.#messages.push(message)
      this.#bytes += message.length
      this.onAnswered?.()
    })
    if (id > 0 && !this.#dropped) this.#asked.add(id)
  }

  /** Adds what has come to `out`, in frames. */
  tell(answer: AnswerWriter, out: ResponseBuffer): void {
    if (this.#messages.length === 0) return
    answer.beginFrame(out)
    for (const message of this.#messages) {
      if (answer.frameIsFull) {
        answer.endFrame()
        answer.beginFrame(out)
      }
      out.append(message)
    }
    answer.endFrame()
    this.#messages = []
    this.#bytes = 0
  }

  /** Nobody wants to know any more; what is asked for from now on is told to nobody. */
  drop(): void {
    this.#dropped = true
    this.#messages = []
    this.#bytes = this.#waiting = 0
    this.onAnswered = undefined
    for (const id of this.#asked) this.#cancel(id)
    this.#asked.clear()
  }

  #note(code: number): void {
    if (code === ResultCode.OK || code === ResultCode.NOT_FOUND || code === ResultCode.FILTERED_OUT) return
    // Only codes of the table are ever sent.
    this.failed = Object.values(ResultCode).find((known) => known === code) ?? ResultCode.SERVER_ERROR
  }
}
