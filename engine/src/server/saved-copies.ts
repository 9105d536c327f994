/** What a node knows of its copies, as bytes. Another form of `SavedCopy` is another format version. */
import { Packr } from 'msgpackr'
import type { SavedCopy } from '../cluster/ap-namespace.ts'

export const savedCopiesFormat = 1

/** Of one namespace. */
export interface SavedNamespace {
  /** Incarnation of the folder that holds the data it speaks of. */
  readonly data: string
  readonly copies: readonly SavedCopy[]
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
  return typeof value.data === 'string' && Array.isArray(value.copies) && value.copies.every(isCopy)
}

function isCopy(value: unknown): value is SavedCopy {
  if (!isObject(value) || !('past' in value && 'ancestors' in value && 'whole' in value)) return false
  return Array.isArray(value.past) && Array.isArray(value.ancestors) && typeof value.whole === 'boolean'
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
