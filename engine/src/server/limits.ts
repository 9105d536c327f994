const KIB = 1024
const MIB = 1024 * KIB

/** Every bound of the server, with its unit. */
export interface Limits {
  /** Client connections open at once; one more is closed as it comes. Called proto-fd-max in set-config. */
  readonly maxConnections: number
  /** Bytes of answers a connection may have waiting (for the kernel or for a disk) before its input is left unread. */
  readonly queuedBytes: number
  /** Answers a connection may have waiting for other nodes before its input is left unread. */
  readonly deferredAnswers: number
  /** The same over all connections; the one that passes it is cut off. */
  readonly queuedBytesTotal: number
  /** Bytes of requests that have begun and not ended, over all connections; the one that passes it is cut off. */
  readonly partialBytesTotal: number
}

export const defaultLimits: Limits = {
  maxConnections: 15_000,
  queuedBytes: MIB,
  deferredAnswers: 4096,
  queuedBytesTotal: 512 * MIB,
  partialBytesTotal: 512 * MIB,
}

/** The largest body a frame may announce; one byte more resets the connection. */
export const MAX_BODY_BYTES = 128 * MIB

/** Milliseconds a request may take when it does not say, the real server's transaction-max-ms. */
export const DEFAULT_TRANSACTION_MS = 1000
