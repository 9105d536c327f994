/** What went wrong with a data folder, as a program may ask for it. */
export type StorageFault =
  | 'LOCKED'
  | 'READ_ONLY'
  | 'FORMAT'
  | 'DAMAGED'
  | 'SETTINGS'
  | 'DISK_FULL'
  | 'SYNC_FAILED'
  | 'DISK_ERROR'
  | 'CLOSED'

/** A data folder that cannot be used. The message is one line: what is wrong, with which value, what to do. */
export class StorageError extends Error {
  readonly fault: StorageFault

  constructor(fault: StorageFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'StorageError'
    this.fault = fault
  }
}

/** The system's code of an error (ENOSPC, EROFS, ...), or '' when it has none. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
