/** Which of two versions stays that were written on two sides of a split, as the real server names them. */
export const conflictPolicies = ['generation', 'last-update-time'] as const
export type ConflictPolicy = (typeof conflictPolicies)[number]

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
  /** Of copies that are merged; a strong namespace merges none. */
  conflictResolutionPolicy: ConflictPolicy
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

/** Of a namespace of which nothing else is said. */
export const newNamespaceSettings = (said: Partial<NamespaceSettings> = {}): NamespaceSettings => ({
  defaultTtl: 0,
  nsupPeriod: 120,
  allowTtlWithoutNsup: false,
  maxRecordSize: 2 ** 20,
  disallowNullSetname: false,
  rejectNonXdrWrites: false,
  rejectXdrWrites: false,
  defaultReadTouchTtlPct: 0,
  conflictResolutionPolicy: 'generation',
  ...said,
})
