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
