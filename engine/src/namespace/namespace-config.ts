/** What of a namespace can be changed while it runs. Times in seconds, sizes in bytes. */
export interface NamespaceSettings {
  defaultTtl: number
  nsupPeriod: number
  allowTtlWithoutNsup: boolean
  maxRecordSize: number
  disallowNullSetname: boolean
  rejectNonXdrWrites: boolean
  rejectXdrWrites: boolean
  /** 0 = off. */
  defaultReadTouchTtlPct: number
}

/** What of one set can be changed; 0 = as the namespace says, or no limit. */
export interface SetSettings {
  defaultTtl: number
  stopWritesCount: number
  stopWritesSize: number
  disableEviction: boolean
  defaultReadTouchTtlPct: number
}

export const newSetSettings = (): SetSettings => ({
  defaultTtl: 0,
  stopWritesCount: 0,
  stopWritesSize: 0,
  disableEviction: false,
  defaultReadTouchTtlPct: 0,
})

/** Requests by their outcome. */
export interface NamespaceCounters {
  client_read_success: number
  client_read_error: number
  client_read_not_found: number
  client_read_filtered_out: number
  client_write_success: number
  client_write_error: number
  client_write_filtered_out: number
  client_delete_success: number
  client_delete_error: number
  client_delete_not_found: number
  client_delete_filtered_out: number
}

export const newCounters = (): NamespaceCounters => ({
  client_read_success: 0,
  client_read_error: 0,
  client_read_not_found: 0,
  client_read_filtered_out: 0,
  client_write_success: 0,
  client_write_error: 0,
  client_write_filtered_out: 0,
  client_delete_success: 0,
  client_delete_error: 0,
  client_delete_not_found: 0,
  client_delete_filtered_out: 0,
})
