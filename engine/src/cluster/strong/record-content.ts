import type { StoredVersion } from '../stored-version.ts'

/** What a version of a real record holds beside its position. */
export type RecordContent = Omit<StoredVersion, 'digest' | 'regime' | 'sequence' | 'deleted'>
