import type { ByteWriter } from '../values/byte-writer.ts'

/** Requests that wait for different things travel apart, so that a slow one does not hold up a quick one. */
export type Lane = 'read' | 'write' | 'batch' | 'info'

/** How requests reach one node. */
export interface Way {
  /**
   * Sends one frame, copying it, and answers all frames of the answer. Rejects with a `WayError`; after `timeout`
   * ms without an answer too.
   */
  send(request: ByteWriter, lane: Lane, timeout: number): Promise<Buffer>
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
