import { createConnection, type Socket } from 'node:net'
import type { ByteWriter } from '../values/byte-writer.ts'
import { endsBatch, frameLength } from './answer-reader.ts'
import { type Lane, WayError } from './way.ts'

/** Requests in flight on one connection; beyond it a request fails at once with `full`. */
const MAX_IN_FLIGHT = 4096
const SWEEP_MS = 20

interface Waiting {
  readonly deadline: number
  readonly resolve: (answer: Buffer) => void
  readonly reject: (error: WayError) => void
  /** Timed out: its answer still comes, in its turn, and is dropped. */
  abandoned: boolean
}

/**
 * One pipelined connection of one lane. Answers come in the order of the requests, so the first that waits owns the
 * next answer. Requests of one tick leave in one write. A peer that is silent for the whole time of an abandoned
 * request is given up.
 */
export class Connection {
  readonly #socket: Socket
  readonly #lane: Lane
  readonly #waiting: Waiting[] = []
  #outgoing: Buffer[] = []
  #flushing = false
  #received: Buffer = Buffer.alloc(0)
  #lastHeard = performance.now()
  #sweep: NodeJS.Timeout | undefined
  #failure: WayError | undefined

  private constructor(socket: Socket, lane: Lane) {
    this.#socket = socket
    this.#lane = lane
    socket.on('data', (bytes) => this.#receive(bytes))
    socket.on('error', (error) => this.#fail(error.message))
    socket.on('close', () => this.#fail('the node closed the connection'))
  }

  static open(host: string, port: number, lane: Lane, timeout: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host, port, noDelay: true })
      const give = (message: string) => {
        socket.destroy()
        reject(new WayError('connection', false, `${host}:${port}: ${message}`))
      }
      const timer = setTimeout(() => give(`no connection in ${timeout} ms`), timeout)
      socket.once('connect', () => {
        clearTimeout(timer)
        socket.removeAllListeners('error')
        resolve(new Connection(socket, lane))
      })
      socket.once('error', (error) => {
        clearTimeout(timer)
        give(error.message)
      })
    })
  }

  get usable(): boolean {
    return this.#failure === undefined
  }

  send(request: ByteWriter, timeout: number): Promise<Buffer> {
    if (this.#failure) return Promise.reject(new WayError('connection', false, this.#failure.message))
    if (this.#waiting.length >= MAX_IN_FLIGHT)
      return Promise.reject(new WayError('full', false, `${MAX_IN_FLIGHT} requests are in flight already`))
    this.#outgoing.push(Buffer.from(request.buffer.subarray(0, request.length)))
    if (!this.#flushing) {
      this.#flushing = true
      process.nextTick(() => this.#flush())
    }
    this.#sweep ??= setInterval(() => this.#expire(), SWEEP_MS)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ deadline: performance.now() + timeout, resolve, reject, abandoned: false })
    })
  }

  close(): void {
    this.#fail('the client is closed', 'closed')
  }

  #flush(): void {
    this.#flushing = false
    if (this.#failure) return
    const { length } = this.#outgoing
    this.#socket.write(length === 1 ? this.#outgoing[0]! : Buffer.concat(this.#outgoing))
    this.#outgoing = []
  }

  #receive(bytes: Buffer): void {
    this.#lastHeard = performance.now()
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes])
    try {
      this.#deliver()
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error))
    }
  }

  #deliver(): void {
    let at = 0
    for (let length; (length = this.#answerLength(at)) > 0; at += length) {
      const waiting = this.#waiting.shift()
      if (!waiting) throw new RangeError('an answer that nobody asked for')
      if (!waiting.abandoned) waiting.resolve(this.#received.subarray(at, at + length))
    }
    this.#received = this.#received.subarray(at)
    if (this.#waiting.length === 0) this.#rest()
  }

  /** Length of the first whole answer at `start`, which for a batch is many frames; 0 while it is not whole. */
  #answerLength(start: number): number {
    const buffer = this.#received
    for (let at = start; ;) {
      const length = frameLength(buffer, at, buffer.length)
      if (length === 0 || at + length > buffer.length) return 0
      at += length
      if (this.#lane !== 'batch' || endsBatch(buffer, at - length, at)) return at - start
    }
  }

  #expire(): void {
    const now = performance.now()
    for (const waiting of this.#waiting) {
      if (waiting.abandoned || now < waiting.deadline) continue
      waiting.abandoned = true
      waiting.reject(new WayError('timeout', true, 'no answer in time'))
    }
    const first = this.#waiting[0]
    if (first?.abandoned && now - Math.max(this.#lastHeard, first.deadline) > 1000)
      this.#fail('the node is silent')
  }

  #rest(): void {
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }

  #fail(message: string, kind: WayError['kind'] = 'connection'): void {
    if (this.#failure) return
    this.#failure = new WayError(kind, true, message)
    this.#rest()
    this.#socket.destroy()
    for (const waiting of this.#waiting.splice(0)) if (!waiting.abandoned) waiting.reject(this.#failure)
  }
}
