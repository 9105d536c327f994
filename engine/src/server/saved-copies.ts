/** What a node knows of its copies, as bytes. Another form of `SavedCopies` is another format version. */
import { Packr } from 'msgpackr'
import { isSavedCopies, type SavedCopies } from '../cluster/saved-copies.ts'

export const savedCopiesFormat = 1

/** Of one namespace. */
export interface SavedNamespace {
  /** Incarnation of the folder that holds the data it speaks of. */
  readonly data: string
  readonly copies: SavedCopies
}

const packr = new Packr({ useRecords: false, mapsAsObjects: true })

export function packCopies(namespaces: Readonly<Record<string, SavedNamespace>>): Buffer {
  return packr.pack(namespaces)
}

/** Undefined when it is nothing of the kind. */
export function unpackCopies(bytes: Buffer): Readonly<Record<string, SavedNamespace>> | undefined {
  try {
    const found: unknown = packr.unpack(bytes)
    return isSaved(found) ? found : undefined
  } catch {
    return undefined
  }
}

function isSaved(value: unknown): value is Record<string, SavedNamespace> {
  return isObject(value) && Object.values(value).every(isNamespace)
}

function isNamespace(value: unknown): value is SavedNamespace {
  if (!isObject(value) || !('data' in value && 'copies' in value)) return false
  return typeof value.data === 'string' && isSavedCopies(value.copies)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
