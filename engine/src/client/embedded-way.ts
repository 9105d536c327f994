import type { EmbeddedNode } from '../protocol/transport.ts'
import type { ByteWriter } from '../values/byte-writer.ts'
import { frameLength } from './answer-message.ts'
import { type Lane, type Receiver, type Way, WayError } from './way.ts'

/** Requests that wait for the node's disk; one more fails at once. */
export const MAX_WAITING_FOR_NODE = 65_536
const SWEEP_MS = 20

/** One request until its answer has come. One that is answered during the call is used for the next request again. */
class Exchange {
  receiver: Receiver | undefined
  deadline = 0
  readonly #way: EmbeddedWay

  constructor(way: EmbeddedWay) {
    this.#way = way
  }

  /** Frames of the answer, in the node's own memory. */
  readonly respond = (answer: Buffer, start: number, end: number): void => {
    const { receiver } = this
    if (!receiver) return
    this.receiver = undefined
    this.#way.ended(this)
    if (start === end) return receiver.failed(new WayError('connection', true, 'the disk of the node failed'))
    for (let at = start; at < end;) {
      const length = frameLength(answer, at, end)
      if (receiver.frame(answer, at, at + length)) return
      at += length
    }
  }
}

/** Reaches a node in the same process: a call, and a clock only where the answer has to be waited for. */
export class EmbeddedWay implements Way {
  readonly #node: EmbeddedNode
  readonly #waiting = new Set<Exchange>()
  #spare = new Exchange(this)
  #sweep: NodeJS.Timeout | undefined
  #closed = false

  constructor(node: EmbeddedNode) {
    this.#node = node
  }

  send(request: ByteWriter, _lane: Lane, timeout: number, receiver: Receiver): void {
    if (this.#closed) return receiver.failed(new WayError('closed', false, 'the client is closed'))
    if (this.#waiting.size >= MAX_WAITING_FOR_NODE)
      return receiver.failed(
        new WayError(
          'full',
          false,
          `${this.#waiting.size} requests wait for the node already (MAX_WAITING_FOR_NODE)`,
        ),
      )
    const exchange = this.#spare
    exchange.receiver = receiver
    this.#node.request(request.buffer, 0, request.length, exchange.respond)
    if (exchange.receiver === undefined) return
    this.#spare = new Exchange(this)
    exchange.deadline = performance.now() + timeout
    this.#waiting.add(exchange)
    this.#sweep ??= setInterval(() => this.#expire(), SWEEP_MS)
  }

  ended(exchange: Exchange): void {
    if (this.#waiting.size > 0) this.#waiting.delete(exchange)
  }

  close(): void {
    this.#closed = true
    for (const exchange of [...this.#waiting]) this.#giveUp(exchange, 'closed', 'the client is closed')
    this.#rest()
  }

  /** Runs on for one round when nothing waits any more: a timer a request would cost more than the request. */
  #expire(): void {
    if (this.#waiting.size === 0) return this.#rest()
    const now = performance.now()
    for (const exchange of [...this.#waiting])
      if (now >= exchange.deadline) this.#giveUp(exchange, 'timeout', 'no answer from the node in time')
  }

  #giveUp(exchange: Exchange, kind: WayError['kind'], message: string): void {
    const { receiver } = exchange
    exchange.receiver = undefined
    this.ended(exchange)
    receiver?.failed(new WayError(kind, true, message))
  }

  #rest(): void {
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }
}
