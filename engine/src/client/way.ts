import type { ByteWriter } from '../values/byte-writer.ts'

/**
 * Requests that wait for different things travel apart, so that a slow one does not hold up a quick one: reads;
 * writes; writes and reads that wait for a disk or for replicas; large batches; and info.
 */
export type Lane = 'read' | 'write' | 'waiting' | 'bulk' | 'info'

/** Takes the answer of one request. */
export interface Receiver {
  /** True when the answer may have many frames, the last of which holds a message flagged LAST. */
  readonly manyFrames: boolean
  /**
   * One whole frame of the answer, valid during the call alone. True when it was the last. A RangeError says that
   * the bytes are none of the protocol's, which costs the connection.
   */
  frame(buffer: Buffer, start: number, end: number): boolean
  /** No answer, or no more of it; called at most once, and nothing is called after it. */
  failed(error: WayError): void
}

/** How requests reach one node. */
export interface Way {
  /**
   * Sends one frame, copying it. The receiver hears of it exactly once, during this call or later; after `timeout`
   * ms without the whole answer by `failed`.
   */
  send(request: ByteWriter, lane: Lane, timeout: number, receiver: Receiver): void
  close(): void
}

/** The way failed, not the request. `sent`: whether the node may have seen it. */
export class WayError extends Error {
  readonly kind: 'timeout' | 'connection' | 'full' | 'closed'
  readonly sent: boolean

  constructor(kind: WayError['kind'], sent: boolean, message: string) {
    super(message)
    this.name = 'WayError'
    this.kind = kind
    this.sent = sent
  }
}
