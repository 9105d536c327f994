import { createConnection, type Socket } from 'node:net'
import { ByteWriter } from '../values/byte-writer.ts'
import { frameLength, holdsLast } from './answer-message.ts'
import { FrameBuffer } from './frame-buffer.ts'
import { type Receiver, WayError } from './way.ts'

/** Requests of one connection that wait for their answers, or for the connection to stand; one more fails at once. */
export const MAX_IN_FLIGHT = 16_384
/** Bytes that wait for the connection to stand or for the kernel to take them; a request that comes then fails at once. */
export const MAX_QUEUED_BYTES = 64 * 1024 * 1024
const SWEEP_MS = 20
/** A node that is silent for so long after a request has timed out is taken for hung, and the connection ends. */
const SILENCE_MS = 1000
const FIRST_BYTES = 16 * 1024
/** Up to this a copy from the pool is cheaper than a new buffer. */
const COPIED_BYTES = 2048

interface Waiting {
  readonly deadline: number
  /** Undefined once it has timed out: its answer still comes, in its turn, and is dropped. */
  receiver: Receiver | undefined
  readonly manyFrames: boolean
  /** The request, as long as the connection does not stand. */
  unsent: Buffer | undefined
}

export interface ConnectionOptions {
  readonly host: string
  readonly port: number
  readonly connectTimeout: number
  /** Called once, when the connection has ended, whatever ended it. */
  readonly ended: () => void
}

/**
 * One pipelined connection. Answers come in the order of the requests, so the first that waits owns the next answer.
 * Requests of one tick leave in one write. A request that times out keeps its place until its late answer has come
 * and been dropped; one that times out before the connection stands is never sent.
 */
export class Connection {
  readonly #socket: Socket
  readonly #place: string
  readonly #ended: () => void
  readonly #frames = new FrameBuffer()
  /** Those from `#first` on wait; the rest are cut off now and then. */
  #waiting: Waiting[] = []
  #first = 0
  #outgoing = new ByteWriter(FIRST_BYTES)
  #flushing = false
  /** Of the last requests, those that have not been given to the socket. */
  #unflushed = 0
  /** Of requests that wait for the connection to stand. */
  #unsentBytes = 0
  #open = false
  #lastHeard = performance.now()
  #sweep: NodeJS.Timeout | undefined
  #failure: WayError | undefined

  constructor({ host, port, connectTimeout, ended }: ConnectionOptions) {
    this.#place = `${host}:${port}`
    this.#ended = ended
    this.#socket = createConnection({ host, port, noDelay: true })
    const timer = setTimeout(
      () => this.#fail('connection', `no connection to ${this.#place} in ${connectTimeout} ms`),
      connectTimeout,
    )
    this.#socket.on('connect', () => {
      clearTimeout(timer)
      this.#begin()
    })
    this.#socket.on('data', (bytes) => this.#receive(bytes))
    this.#socket.on('error', (error) => this.#fail('connection', `${this.#place}: ${error.message}`))
    this.#socket.on('close', () => {
      clearTimeout(timer)
      this.#fail('connection', `${this.#place} closed the connection`)
    })
  }

  send(request: ByteWriter, timeout: number, receiver: Receiver): void {
    const refused = this.#refusal()
    if (refused) return receiver.failed(refused)
    const { manyFrames } = receiver
    let unsent: Buffer | undefined
    if (this.#open) this.#queue(request.buffer, request.length)
    else {
      unsent = Buffer.from(request.buffer.subarray(0, request.length))
      this.#unsentBytes += unsent.length
    }
    this.#waiting.push({ deadline: performance.now() + timeout, receiver, manyFrames, unsent })
    this.#sweep ??= setInterval(() => this.#expire(), SWEEP_MS)
  }

  close(kind: WayError['kind'], message: string): void {
    this.#fail(kind, message)
  }

  #refusal(): WayError | undefined {
    if (this.#failure) return new WayError(this.#failure.kind, false, this.#failure.message)
    const waiting = this.#waiting.length - this.#first
    if (waiting >= MAX_IN_FLIGHT)
      return new WayError(
        'full',
        false,
        `${waiting} requests wait for ${this.#place} already (MAX_IN_FLIGHT); send fewer at once, or a batch`,
      )
    const bytes = this.#unsentBytes + this.#socket.writableLength
    if (bytes >= MAX_QUEUED_BYTES)
      return new WayError('full', false, `${bytes} bytes wait for ${this.#place} already (MAX_QUEUED_BYTES)`)
    return undefined
  }

  #begin(): void {
    this.#open = true
    this.#lastHeard = performance.now()
    const waiting = this.#waiting.filter(({ receiver }) => receiver !== undefined)
    this.#waiting = waiting
    this.#first = 0
    for (const request of waiting) {
      this.#queue(request.unsent!, request.unsent!.length)
      request.unsent = undefined
    }
    this.#unsentBytes = 0
  }

  #queue(bytes: Buffer, length: number): void {
    this.#outgoing.bytes(bytes, 0, length)
    this.#unflushed++
    if (this.#flushing) return
    this.#flushing = true
    process.nextTick(() => this.#flush())
  }

  /** The socket keeps the bytes until the kernel has taken them, so it gets a copy or, when they are many, the buffer. */
  #flush(): void {
    this.#flushing = false
    this.#unflushed = 0
    if (this.#failure) return
    const { buffer, length } = this.#outgoing
    const bytes = buffer.subarray(0, length)
    if (length > COPIED_BYTES) this.#outgoing = new ByteWriter(FIRST_BYTES)
    else this.#outgoing.length = 0
    this.#socket.write(length > COPIED_BYTES ? bytes : Buffer.from(bytes))
  }

  #receive(bytes: Buffer): void {
    this.#lastHeard = performance.now()
    try {
      this.#frames.add(bytes, frameLength, (buffer, start, end) => this.#deliver(buffer, start, end))
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.#fail('connection', `${this.#place} sent what is no answer: ${error.message}`)
    }
  }

  #deliver(buffer: Buffer, start: number, end: number): void {
    const waiting = this.#waiting[this.#first]
    if (!waiting) throw new RangeError('an answer that nobody asked for')
    const { receiver } = waiting
    const ends = receiver
      ? receiver.frame(buffer, start, end)
      : !waiting.manyFrames || holdsLast(buffer, start, end)
    if (ends) this.#advance()
  }

  #advance(): void {
    this.#first++
    if (this.#first < 1024 && this.#first < this.#waiting.length) return
    this.#waiting.splice(0, this.#first)
    this.#first = 0
  }

  /** Runs on for one round when nothing waits any more: a timer a request would cost more than the request. */
  #expire(): void {
    if (this.#first === this.#waiting.length) return this.#rest()
    const now = performance.now()
    for (let i = this.#first; i < this.#waiting.length; i++) {
      const waiting = this.#waiting[i]!
      const { receiver } = waiting
      if (!receiver || now < waiting.deadline) continue
      waiting.receiver = undefined
      const what = this.#open ? 'no answer from' : 'no connection to'
      receiver.failed(new WayError('timeout', this.#open, `${what} ${this.#place} in time`))
    }
    const first = this.#waiting[this.#first]
    if (
      this.#open &&
      first &&
      !first.receiver &&
      now - Math.max(this.#lastHeard, first.deadline) > SILENCE_MS
    )
      this.#fail('connection', `${this.#place} is silent`)
  }

  #rest(): void {
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }

  #fail(kind: WayError['kind'], message: string): void {
    if (this.#failure) return
    this.#failure = new WayError(kind, false, message)
    this.#rest()
    this.#socket.destroy()
    this.#ended()
    const waiting = this.#waiting.slice(this.#first)
    this.#waiting = []
    this.#first = 0
    const sent = this.#open ? waiting.length - this.#unflushed : 0
    waiting.forEach(({ receiver }, i) => receiver?.failed(new WayError(kind, i < sent, message)))
  }
}
