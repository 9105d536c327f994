import { ClientCode, ClientError } from '../protocol/client-error.ts'
import type { Key } from '../protocol/key.ts'
import type { ByteWriter } from '../values/byte-writer.ts'
import { partitionOf } from '../values/digest.ts'
import { ResultCode } from '../values/result-code.ts'
import { AnswerMessage, checkMessageFrame, FRAME_HEADER_BYTES } from './answer-message.ts'
import { type Command, writes } from './command.ts'
import { writeRecordRequest } from './request-writer.ts'
import { Budget, clientError, firstTry, mayRetryAfter, mayRetryCode, thrown } from './retry.ts'
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
  /** Made when the first try is under way and not answered: most requests have no use for a clock. */
  #budget: Budget | undefined = undefined
  /** The promise once there is one; until then the value or the error, when it is known. */
  #promise: { resolve(value: T): void; reject(error: Error): void } | undefined = undefined
  #value: T | undefined = undefined
  #error: Error | undefined = undefined
  #settled = false

  constructor(sender: Sender, key: Key, command: Command, reading: Reading<T>) {
    this.#sender = sender
    this.#key = key
    this.#command = command
    this.#reading = reading
  }

  run(): Promise<T> {
    this.#send(firstTry(this.#command.policy, this.#sender.timeout))
    if (!this.#settled) return this.#later()
    return this.#error === undefined ? Promise.resolve(this.#value!) : Promise.reject(this.#error)
  }

  /** The same, without a promise where the answer came during the call. Throws the error that came so. */
  runNow(): T | Promise<T> {
    this.#send(firstTry(this.#command.policy, this.#sender.timeout))
    if (!this.#settled) return this.#later()
    if (this.#error !== undefined) throw this.#error
    return this.#value!
  }

  #later(): Promise<T> {
    this.#startBudget()
    return new Promise((resolve, reject) => {
      this.#promise = { resolve, reject }
    })
  }

  frame(buffer: Buffer, start: number, end: number): boolean {
    checkMessageFrame(buffer, start)
    message.open(buffer, start + FRAME_HEADER_BYTES, end)
    const { code } = message
    if (code === ResultCode.OK) this.#succeed(this.#reading.found(message, this.#command))
    else this.#refused(code)
    return true
  }

  failed(error: WayError): void {
    const isWrite = writes(this.#command)
    if (mayRetryAfter(error, isWrite) && this.#again()) return
    this.#fail(clientError(error, this.#key, isWrite && error.sent))
  }

  #refused(code: number): void {
    const { missing } = this.#reading
    if (code === ResultCode.NOT_FOUND && missing) return this.#succeed(missing.answer)
    const isWrite = writes(this.#command)
    if (mayRetryCode(code, isWrite) && this.#again()) return
    this.#fail(new ClientError(code, { key: this.#key, inDoubt: isWrite && code === ResultCode.TIMEOUT }))
  }

  #send(timeout: number): void {
    const { routes, request } = this.#sender
    const command = this.#command
    const key = this.#key
    request.length = 0
    try {
      const digestAt = writeRecordRequest(request, key, command, Math.ceil(timeout))
      const partition = partitionOf(request.buffer, digestAt)
      const way = routes.wayOf(key.namespace, partition, this.#budget?.tried ?? 0)
      way.send(request, laneOf(writes(command), command.policy.waits), timeout, this)
    } catch (error) {
      const noNode = error instanceof ClientError && error.code === ClientCode.CONNECTION
      if (!noNode || !this.#again()) this.#fail(thrown(error))
    }
  }

  #startBudget(): Budget {
    return (this.#budget ??= new Budget(this.#command.policy, this.#sender.timeout))
  }

  /** False when there is no further try. */
  #again(): boolean {
    const budget = this.#startBudget()
    const pause = budget.pause()
    if (pause < 0) return false
    setTimeout(() => this.#send(budget.left), pause)
    return true
  }

  #succeed(value: T): void {
    this.#settled = true
    this.#value = value
    this.#promise?.resolve(value)
  }

  #fail(error: Error): void {
    this.#settled = true
    this.#error = error
    this.#promise?.reject(error)
  }
}
