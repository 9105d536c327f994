import { ClientCode, ClientError } from '../protocol/client-error.ts'
import type { Key } from '../protocol/key.ts'
import type { ByteWriter } from '../values/byte-writer.ts'
import { partitionOf } from '../values/digest.ts'
import { ResultCode } from '../values/result-code.ts'
import { AnswerMessage, checkMessageFrame, FRAME_HEADER_BYTES } from './answer-message.ts'
import { type Command, writes } from './command.ts'
import { writeRecordRequest } from './request-writer.ts'
import { Budget, clientError, mayRetryAfter, mayRetryCode, thrown } from './retry.ts'
import type { Routes } from './routes.ts'
import type { Lane, Receiver, WayError } from './way.ts'

/** What all calls of one client share. */
export interface Sender {
  readonly routes: Routes
  /** Where every request is written; the way copies it. */
  readonly request: ByteWriter
  readonly timeout: number
}

/** What becomes of an answer. */
export interface Reading<T> {
  found(message: AnswerMessage, command: Command): T
  /** What a missing record answers; without it that is an error. */
  readonly missing?: { readonly answer: T }
}

/** Reused: an answer is read to its end before another one is. */
const message = new AnswerMessage()

export const laneOf = (isWrite: boolean, waits: boolean | undefined): Lane =>
  waits ? 'waiting' : isWrite ? 'write' : 'read'

/**
 * One command on one record with its tries. It is the receiver of its own answers, so that a call costs one object
 * and one promise, and where the answer comes during the call the promise is made when its value is known.
 */
export class RecordCall<T> implements Receiver {
  readonly manyFrames = false
  readonly #sender: Sender
  readonly #key: Key
  readonly #command: Command
  readonly #reading: Reading<T>
  readonly #isWrite: boolean
  readonly #budget: Budget
  #settled = false
  #value: T | undefined
  #error: Error | undefined
  #resolve: ((value: T) => void) | undefined
  #reject: ((error: Error) => void) | undefined

  constructor(sender: Sender, key: Key, command: Command, reading: Reading<T>) {
    this.#sender = sender
    this.#key = key
    this.#command = command
    this.#reading = reading
    this.#isWrite = writes(command)
    this.#budget = new Budget(command.policy, sender.timeout)
  }

  run(): Promise<T> {
    this.#send()
    if (this.#settled)
      return this.#error === undefined ? Promise.resolve(this.#value!) : Promise.reject(this.#error)
    this.#budget.start()
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  frame(buffer: Buffer, start: number, end: number): boolean {
    checkMessageFrame(buffer, start)
    message.open(buffer, start + FRAME_HEADER_BYTES, end)
    const { code } = message
    if (code === ResultCode.OK) this.#succeed(this.#reading.found(message, this.#command))
    else if (code === ResultCode.NOT_FOUND && this.#reading.missing)
      this.#succeed(this.#reading.missing.answer)
    else if (!mayRetryCode(code, this.#isWrite) || !this.#again()) {
      const inDoubt = this.#isWrite && code === ResultCode.TIMEOUT
      this.#fail(new ClientError(code, { key: this.#key, inDoubt }))
    }
    return true
  }

  failed(error: WayError): void {
    if (mayRetryAfter(error, this.#isWrite) && this.#again()) return
    this.#fail(clientError(error, this.#key, this.#isWrite && error.sent))
  }

  #send(): void {
    const { routes, request } = this.#sender
    const { left, tried } = this.#budget
    const command = this.#command
    const { namespace } = this.#key
    request.length = 0
    try {
      const digestAt = writeRecordRequest(request, this.#key, command, Math.ceil(left))
      const way = routes.wayOf(namespace, partitionOf(request.buffer, digestAt), tried)
      way.send(request, laneOf(this.#isWrite, command.policy.waits), left, this)
    } catch (error) {
      const noNode = error instanceof ClientError && error.code === ClientCode.CONNECTION
      if (!noNode || !this.#again()) this.#fail(thrown(error))
    }
  }

  /** False when there is no further try. */
  #again(): boolean {
    const pause = this.#budget.pause()
    if (pause < 0) return false
    setTimeout(() => this.#send(), pause)
    return true
  }

  #succeed(value: T): void {
    if (this.#settled) return
    this.#settled = true
    this.#value = value
    this.#resolve?.(value)
  }

  #fail(error: Error): void {
    if (this.#settled) return
    this.#settled = true
    this.#error = error
    this.#reject?.(error)
  }
}
