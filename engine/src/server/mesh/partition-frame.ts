/**
 * Messages about partitions of one namespace in one view, many in a frame: replication, fills and acknowledgements.
 * The frame names view and namespace once; behind a fixed head each message holds the stored bytes of its records as
 * they are. A list of regimes stands once in a frame, and further messages name it by number, since most partitions
 * of a node have been through the same.
 */
import type { ClusterMessage } from '../../cluster/cluster-node.ts'
import {
  type AncestorEntries,
  type PartitionBody,
  type PartitionMessage,
  partitionMessage,
  type StreamEntry,
} from '../../cluster/data-message.ts'
import type { Past } from '../../cluster/past.ts'
import type { Regime } from '../../cluster/regime.ts'
import type { StoredVersion } from '../../cluster/stored-version.ts'
import { DIGEST_BYTES } from '../../values/digest.ts'
import { FrameBytes, FrameWriter } from './frame-bytes.ts'

const kinds = ['stream', 'applied', 'take', 'taken', 'ask', 'told', 'query', 'settled'] as const
const entryKinds = ['begin', 'write', 'cut', 'give', 'whole'] as const

const framed: ReadonlySet<string> = new Set(kinds)

export function isFramed(message: ClusterMessage): message is PartitionMessage {
  return framed.has(message.kind)
}

/** Messages of one frame, as they are added. */
export class PartitionFrameWriter {
  readonly view: string
  readonly namespace: string
  readonly #out: FrameWriter
  readonly #lists = new Map<readonly Regime[], number>()

  /** `head`: bytes at the front that are left for others. */
  constructor(view: string, namespace: string, head: number) {
    this.view = view
    this.namespace = namespace
    this.#out = new FrameWriter()
    for (let i = 0; i < head; i++) this.#out.u8(0)
    this.#out.text(view)
    this.#out.text(namespace)
  }

  get length(): number {
    return this.#out.length
  }

  /** The writer must not be used any more. */
  take(): Buffer {
    return this.#out.take()
  }

  add(message: PartitionMessage): void {
    const out = this.#out
    out.u16(message.partition)
    out.u8(kinds.indexOf(message.kind))
    switch (message.kind) {
      case 'stream':
        out.u48(message.position)
        out.u16(message.entries.length)
        for (const entry of message.entries) this.#entry(entry)
        return
      case 'applied':
        return out.u48(message.position)
      case 'take':
        this.#digest(message.after)
        return this.#past(message.past)
      case 'taken':
        this.#digest(message.after)
        this.#digest(message.next)
        this.#past(message.past)
        this.#ancestors(message.ancestors)
        out.u16(message.versions.length)
        for (const version of message.versions) this.#version(version)
        return
      case 'ask':
        return out.raw(message.digest)
      case 'told':
        out.raw(message.digest)
        this.#past(message.past)
        this.#ancestors(message.ancestors)
        out.u8(message.version ? 1 : 0)
        if (message.version) this.#version(message.version)
        return
      case 'query':
        return out.u8(message.wantsPast ? 1 : 0)
      case 'settled':
        out.u8(message.past ? 1 : 0)
        if (message.past) this.#past(message.past)
    }
  }

  #entry(entry: StreamEntry): void {
    this.#out.u8(entryKinds.indexOf(entry.kind))
    switch (entry.kind) {
      case 'begin':
        return this.#regimes(entry.regimes)
      case 'cut':
        this.#out.number(entry.regime)
        // Below 0 = nothing is left of it.
        return this.#out.u48(entry.end + 1)
      case 'whole':
        return this.#past(entry.past)
      default:
        return this.#version(entry.version)
    }
  }

  #version(version: StoredVersion): void {
    const out = this.#out
    out.raw(version.digest)
    out.number(version.regime)
    out.u48(version.sequence)
    out.u48(version.lastUpdate)
    out.u32(version.generation)
    out.u32(version.voidTime)
    out.u16(version.binCount)
    out.u8(version.deleted ? 1 : 0)
    out.text(version.set)
    out.bytes(version.key)
    out.bytes(version.bins)
  }

  #past({ regimes, ends }: Past): void {
    this.#regimes(regimes)
    for (const end of ends) this.#out.u48(end)
  }

  #ancestors(entries: AncestorEntries): void {
    this.#out.u8(entries.length)
    for (const [regime, regimes] of entries) {
      this.#out.number(regime)
      this.#regimes(regimes)
    }
  }

  #regimes(regimes: readonly Regime[]): void {
    const known = this.#lists.get(regimes)
    this.#out.u32(known ?? this.#lists.size)
    if (known !== undefined) return
    this.#lists.set(regimes, this.#lists.size)
    this.#out.u16(regimes.length)
    for (const regime of regimes) this.#out.number(regime)
  }

  #digest(digest: Buffer | undefined): void {
    this.#out.u8(digest ? 1 : 0)
    if (digest) this.#out.raw(digest)
  }
}

/** Reads a frame; what it hands out are views of its bytes. Throws when it is none. */
export function* readPartitionFrame(bytes: Buffer): Generator<PartitionMessage> {
  const reader = new PartitionFrameReader(bytes)
  const view = reader.bytes.text()
  const namespace = reader.bytes.text()
  while (!reader.bytes.isOver) {
    const partition = reader.bytes.u16()
    yield partitionMessage(view, namespace, partition, reader.body())
  }
}

class PartitionFrameReader {
  readonly bytes: FrameBytes
  readonly #lists: (readonly Regime[])[] = []

  constructor(bytes: Buffer) {
    this.bytes = new FrameBytes(bytes)
  }

  body(): PartitionBody {
    const { bytes } = this
    const kind = kinds[bytes.u8()]
    if (!kind) throw new Error('a peer sends a message that is not known here')
    switch (kind) {
      case 'stream': {
        const position = bytes.u48()
        return { kind, position, entries: this.#many(bytes.u16(), () => this.#entry()) }
      }
      case 'applied':
        return { kind, position: bytes.u48() }
      case 'take': {
        const after = this.#digest()
        return { kind, after, past: this.#past() }
      }
      case 'taken': {
        const [after, next] = [this.#digest(), this.#digest()]
        const [past, ancestors] = [this.#past(), this.#ancestors()]
        return {
          kind,
          after,
          next,
          past,
          ancestors,
          versions: this.#many(bytes.u16(), () => this.#version()),
        }
      }
      case 'ask':
        return { kind, digest: bytes.raw(DIGEST_BYTES) }
      case 'told': {
        const digest = bytes.raw(DIGEST_BYTES)
        const [past, ancestors] = [this.#past(), this.#ancestors()]
        return { kind, digest, past, ancestors, version: bytes.u8() === 1 ? this.#version() : undefined }
      }
      case 'query':
        return { kind, wantsPast: bytes.u8() === 1 }
      case 'settled':
        return { kind, past: bytes.u8() === 1 ? this.#past() : undefined }
    }
  }

  #entry(): StreamEntry {
    const kind = entryKinds[this.bytes.u8()]
    if (!kind) throw new Error('a peer sends an entry that is not known here')
    switch (kind) {
      case 'begin':
        return { kind, regimes: this.#regimes() }
      case 'cut': {
        const regime = this.bytes.number()
        return { kind, regime, end: this.bytes.u48() - 1 }
      }
      case 'whole':
        return { kind, past: this.#past() }
      case 'write':
      case 'give':
        return { kind, version: this.#version() }
    }
  }

  #version(): StoredVersion {
    const { bytes } = this
    return {
      digest: bytes.raw(DIGEST_BYTES),
      regime: bytes.number(),
      sequence: bytes.u48(),
      lastUpdate: bytes.u48(),
      generation: bytes.u32(),
      voidTime: bytes.u32(),
      binCount: bytes.u16(),
      deleted: bytes.u8() === 1,
      set: bytes.text(),
      key: bytes.bytes(),
      bins: bytes.bytes(),
    }
  }

  #past(): Past {
    const regimes = this.#regimes()
    return { regimes, ends: this.#many(regimes.length, () => this.bytes.u48()) }
  }

  #ancestors(): AncestorEntries {
    return this.#many(this.bytes.u8(), () => [this.bytes.number(), this.#regimes()] as const)
  }

  #regimes(): readonly Regime[] {
    const index = this.bytes.u32()
    if (index < this.#lists.length) return this.#lists[index]!
    if (index > this.#lists.length) throw new Error('a frame from a peer names a list that it does not hold')
    const regimes = this.#many(this.bytes.u16(), () => this.bytes.number())
    this.#lists.push(regimes)
    return regimes
  }

  #digest(): Buffer | undefined {
    return this.bytes.u8() === 1 ? this.bytes.raw(DIGEST_BYTES) : undefined
  }

  #many<Each>(count: number, read: () => Each): Each[] {
    const found: Each[] = []
    for (let i = 0; i < count; i++) found.push(read())
    return found
  }
}
