/**
 * Result codes as they stand in byte 5 of a message header. Names follow the table in the protocol notes
 * (record messages, result codes); a code that only other editions of the field send is listed where we use it.
 */
export const ResultCode = {
  OK: 0,
  SERVER_ERROR: 1,
  NOT_FOUND: 2,
  GENERATION: 3,
  PARAMETER: 4,
  RECORD_EXISTS: 5,
  BIN_EXISTS: 6,
  CLUSTER_KEY_MISMATCH: 7,
  NO_SPACE: 8,
  TIMEOUT: 9,
  ALWAYS_FORBIDDEN: 10,
  PARTITION_UNAVAILABLE: 11,
  BIN_TYPE: 12,
  RECORD_TOO_BIG: 13,
  KEY_BUSY: 14,
  SCAN_ABORT: 15,
  UNSUPPORTED: 16,
  BIN_NOT_FOUND: 17,
  DEVICE_OVERLOAD: 18,
  KEY_MISMATCH: 19,
  INVALID_NAMESPACE: 20,
  BIN_NAME: 21,
  FORBIDDEN: 22,
  ELEMENT_NOT_FOUND: 23,
  ELEMENT_EXISTS: 24,
  ENTERPRISE_ONLY: 25,
  NOT_APPLICABLE: 26,
  FILTERED_OUT: 27,
  LOST_CONFLICT: 28,
  INVALID_ENCODING: 29,
  QUERY_END: 50,
  SECURITY_NOT_SUPPORTED: 51,
  SECURITY_NOT_ENABLED: 52,
  UDF: 100,
  BATCH_DISABLED: 150,
  BATCH_TOO_LARGE: 151,
  BATCH_QUEUES_FULL: 152,
  INVALID_GEOJSON: 160,
  INDEX_FOUND: 200,
  INDEX_NOT_FOUND: 201,
  INDEX_NOT_READABLE: 203,
  QUERY_ABORTED: 210,
} as const

export type ResultCode = (typeof ResultCode)[keyof typeof ResultCode]

/** A request that cannot be done, with the code the protocol has for it. Thrown only below the namespace's edge. */
export class ResultError extends Error {
  readonly code: ResultCode

  constructor(code: ResultCode, message = `result ${code}`) {
    super(message)
    this.name = 'ResultError'
    this.code = code
  }
}
