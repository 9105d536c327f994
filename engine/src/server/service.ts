import type { ResponseBuffer } from '../protocol/response.ts'
import { FrameType, HEADER_BYTES } from './frame-header.ts'
import { appendInfoAnswer } from './info/info-answer.ts'
import type { InfoCaller } from './info/info-command.ts'
import type { Limits } from './limits.ts'
import type { NodeState } from './node-state.ts'

/** Response buffers kept for reuse; more are left to the garbage collector. */
const SPARE_BUFFERS = 16
/** A buffer that grew beyond this is not kept. */
const KEEP_BYTES = 4 * 1024 * 1024
const MESSAGE_BYTES = 22

/** What answers record messages, and knows when a write is safe. */
export interface MessageHandler {
  /**
   * Appends all frames of the answer to the body at `start` to `end`. The result is the ticket of what must be
   * synced before the answer may leave, 0 for nothing.
   */
  dispatch(request: Buffer, start: number, end: number, arrived: number, out: ResponseBuffer): number
  /** All that was dispatched since the last call took this long, waiting for a disk not counted. */
  took?(micros: number): void
}

/** When writes are on disk. Tickets grow; one is synced when all before it are. */
export interface Syncs {
  isSynced(ticket: number): boolean
  /** Calls back once, when the ticket is synced or can no longer be. */
  whenSynced(ticket: number, callback: (failed: boolean) => void): void
}

export interface ServiceParts {
  readonly node: NodeState
  readonly messages: MessageHandler
  readonly syncs: Syncs
  readonly limits: Limits
  readonly newBuffer: () => ResponseBuffer
}

interface Counted {
  destroy(): void
}

/**
 * Answers frames, whoever brings them: the connections and the client in the same process share it. It holds the
 * response buffer that all of them fill in turn, and counts what waits anywhere in the node.
 */
export class Service {
  limits: Limits
  readonly node: NodeState
  readonly syncs: Syncs
  readonly #messages: MessageHandler
  readonly #newBuffer: () => ResponseBuffer
  out: ResponseBuffer
  readonly #spare: ResponseBuffer[] = []
  #queuedBytes = 0
  #partialBytes = 0

  constructor({ node, messages, syncs, limits, newBuffer }: ServiceParts) {
    this.node = node
    this.#messages = messages
    this.syncs = syncs
    this.limits = limits
    this.#newBuffer = newBuffer
    this.out = newBuffer()
  }

  clock(): number {
    return this.node.clock()
  }

  /** Appends the answer to one whole frame to `out`; the result is the ticket it waits for, 0 for none. */
  answer(buffer: Buffer, start: number, end: number, arrived: number, caller: InfoCaller): number {
    switch (buffer[start + 1]) {
      case FrameType.MESSAGE:
        return this.#messages.dispatch(buffer, start + HEADER_BYTES, end, arrived, this.out)
      case FrameType.INFO:
        return appendInfoAnswer(this.node, buffer.subarray(start + HEADER_BYTES, end), caller, this.out)
      case FrameType.ADMIN:
        return this.#append(securityNotSupported)
      case FrameType.COMPRESSED:
        return this.#append(compressionNotSupported)
      default:
        return 0
    }
  }

  /** Notes how long the requests of one read took; `started` as performance.now() gave it. */
  took(started: number): void {
    this.#messages.took?.((performance.now() - started) * 1000)
  }

  /** Hands the filled buffer over to the caller and goes on with another one. */
  takeOut(): ResponseBuffer {
    const taken = this.out
    this.out = this.#spare.pop() ?? this.#newBuffer()
    return taken
  }

  /** Takes a buffer back whose bytes nobody needs any more. */
  giveBack(buffer: ResponseBuffer): void {
    buffer.reset()
    if (this.#spare.length < SPARE_BUFFERS && buffer.buffer.length <= KEEP_BYTES) this.#spare.push(buffer)
  }

  /** Counts answers that wait; cuts the connection off that takes the node past its bound. */
  countQueued(connection: Counted, bytes: number): void {
    this.#queuedBytes += bytes
    if (bytes > 0 && this.#queuedBytes > this.limits.queuedBytesTotal) this.#cutOff(connection)
  }

  /** Counts requests that have begun and not ended, with the same consequence. */
  countPartial(connection: Counted, bytes: number): void {
    this.#partialBytes += bytes
    if (bytes > 0 && this.#partialBytes > this.limits.partialBytesTotal) this.#cutOff(connection)
  }

  #cutOff(connection: Counted): void {
    this.node.counters.connectionsCutOff++
    connection.destroy()
  }

  #append(frame: Buffer): number {
    this.out.append(frame)
    return 0
  }
}

/** Sources: protocol notes, framing 9 and 8. */
const securityNotSupported = frame(FrameType.ADMIN, 16, (body) => body.writeUInt8(51, 1))
const compressionNotSupported = frame(FrameType.MESSAGE, MESSAGE_BYTES, (body) => {
  body.writeUInt8(MESSAGE_BYTES, 0)
  body.writeUInt8(25, 5)
})

function frame(type: number, bytes: number, fill: (body: Buffer) => void): Buffer {
  const whole = Buffer.alloc(HEADER_BYTES + bytes)
  whole[0] = 2
  whole[1] = type
  whole.writeUIntBE(bytes, 2, 6)
  fill(whole.subarray(HEADER_BYTES))
  return whole
}
