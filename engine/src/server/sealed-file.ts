/**
 * A small file of this node that has to be whole: one line of JSON says what it is, its format version and the
 * checksum of what follows. One that is not what was written is refused, never taken for an older or an empty one.
 */
import { crc32 } from 'node:zlib'
import type { Disk } from '../storage/disk.ts'
import { readWhole, writeWhole } from '../storage/whole-file.ts'
import { StartError } from './start-error.ts'

export interface SealedKind {
  /** Also the file's name, with `.state` behind it. */
  readonly name: string
  /** Files of an older or a newer one are refused. */
  readonly format: number
}

interface Seal {
  readonly larder: string
  readonly format: number
  readonly crc: number
}

const newline = 0x0a

/** The body of the file, undefined where there is none. Throws a StartError, one line that says what to do. */
export async function readSealed(disk: Disk, folder: string, kind: SealedKind): Promise<Buffer | undefined> {
  const path = pathOf(folder, kind)
  const bytes = await readWhole(disk, path)
  if (!bytes) return undefined
  const end = bytes.indexOf(newline)
  const seal = end < 0 ? undefined : parseSeal(bytes.toString('utf8', 0, end))
  if (!seal || seal.larder !== kind.name) throw damaged(folder, path)
  if (seal.format !== kind.format)
    throw new StartError(
      `The file ${path} has format ${seal.format}, this version reads format ${kind.format}; use the version that wrote it`,
    )
  const body = bytes.subarray(end + 1)
  if (crc32(body) !== seal.crc) throw damaged(folder, path)
  return body
}

/** On disk when it resolves; after a crash the file holds this body or the one before, whole. */
export async function writeSealed(disk: Disk, folder: string, kind: SealedKind, body: Buffer): Promise<void> {
  const seal: Seal = { larder: kind.name, format: kind.format, crc: crc32(body) }
  const bytes = Buffer.concat([Buffer.from(`${JSON.stringify(seal)}\n`), body])
  await writeWhole(disk, folder, fileOf(kind), bytes)
}

/** What to say of a file whose body makes no sense. */
export function damaged(folder: string, path: string): StartError {
  return new StartError(
    `The file ${path} is damaged; put back a copy, or remove the folder ${folder} so that this node joins as a new one`,
  )
}

export function pathOf(folder: string, kind: SealedKind): string {
  return `${folder}/${fileOf(kind)}`
}

function fileOf({ name }: SealedKind): string {
  return `${name}.state`
}

function parseSeal(text: string): Seal | undefined {
  try {
    const found = JSON.parse(text) as Partial<Seal> | null
    const { larder, format, crc } = found ?? {}
    if (typeof larder !== 'string' || typeof format !== 'number' || typeof crc !== 'number') return undefined
    return { larder, format, crc }
  } catch {
    return undefined
  }
}
