/**
 * How a client in the same process reaches a node without a socket. The node implements it, the client uses it,
 * and neither imports the other.
 */
export interface EmbeddedNode {
  /**
   * Hands over one whole request frame, bytes `start` to `end` of `request`; the caller may reuse them when the
   * call returns. `respond` is called exactly once with all frames of the answer, at once where nothing has to
   * be waited for; the bytes are valid during that call alone. No bytes at all mean that the disk failed while a
   * write waited for it: whether it lasts is not known, as when a connection breaks.
   */
  request(request: Buffer, start: number, end: number, respond: EmbeddedResponse): void
}

export type EmbeddedResponse = (answer: Buffer, start: number, end: number) => void
