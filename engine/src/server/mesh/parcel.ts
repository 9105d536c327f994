/**
 * What goes between two nodes, as bytes: length (4 bytes), version of this format (1 byte), form (1 byte), and either a
 * parcel in MessagePack or a frame of messages about partitions. Peers are trusted as far as the cluster's name goes:
 * the envelope is checked, what is inside is taken as it is.
 */
import { Packr } from 'msgpackr'
import type { ClusterMessage } from '../../cluster/cluster-node.ts'
import type { PartitionMessage } from '../../cluster/data-message.ts'
import type { NodeId } from '../../cluster/node-id.ts'
import type { Process } from '../../cluster/process.ts'
import { PartitionFrameWriter, readPartitionFrame } from './partition-frame.ts'

/** Where a node listens for other nodes, `host:port`. */
export type MeshAddress = string

export type Parcel =
  /** First on every connection, and again whenever the sender has learned of a node. */
  | {
      readonly kind: 'hello'
      readonly cluster: string
      readonly from: Process
      readonly address: MeshAddress
      readonly known: readonly (readonly [NodeId, MeshAddress])[]
    }
  | { readonly kind: 'message'; readonly from: Process; readonly message: ClusterMessage }

/** Of one connection, in the order in which it was sent. */
export type Incoming = Parcel | { readonly kind: 'partitions'; readonly messages: Iterable<PartitionMessage> }

const version = 1
const headBytes = 6
const Form = { MESSAGE_PACK: 0, PARTITIONS: 1 } as const
/** Longer ones are an error of the sender: the connection is closed. */
const largestParcel = 64 * 1024 * 1024

const packr = new Packr({ useRecords: false, mapsAsObjects: true, copyBuffers: true })

export function packParcel(parcel: Parcel): Buffer {
  const body = packr.pack(parcel)
  const bytes = Buffer.allocUnsafe(headBytes + body.length)
  body.copy(bytes, headBytes)
  return withHead(bytes, Form.MESSAGE_PACK)
}

export function newPartitionFrame(view: string, namespace: string): PartitionFrameWriter {
  return new PartitionFrameWriter(view, namespace, headBytes)
}

export function packPartitionFrame(frame: PartitionFrameWriter): Buffer {
  return withHead(frame.take(), Form.PARTITIONS)
}

function withHead(bytes: Buffer, form: number): Buffer {
  bytes.writeUInt32BE(bytes.length - headBytes)
  bytes[4] = version
  bytes[5] = form
  return bytes
}

/** Collects the bytes of one connection and hands out whole parcels. */
export class ParcelReader {
  /** Bytes from `#start` to `#end` are the next ones; behind them is room for what belongs to their parcel. */
  #bytes: Buffer = Buffer.alloc(0)
  #start = 0
  #end = 0;

  /** Throws when the bytes are not those of a node that speaks this version. */
  *read(chunk: Buffer): Generator<Incoming> {
    this.#add(chunk)
    while (this.#end - this.#start >= headBytes) {
      const length = this.#lengthOfNext()
      if (this.#end - this.#start < length) return
      const parcel = this.#bytes.subarray(this.#start, this.#start + length)
      this.#start += length
      yield unpack(parcel)
    }
  }

  /** Bytes that were handed out stay as they are: what is there moves, and only to a buffer of its own. */
  #add(chunk: Buffer): void {
    const waiting = this.#end - this.#start
    if (waiting === 0) {
      this.#bytes = chunk
      this.#start = 0
      this.#end = chunk.length
      return
    }
    if (this.#end + chunk.length > this.#bytes.length) {
      // Room for all of a long parcel at once: it comes in many chunks.
      const length = waiting >= headBytes ? this.#lengthOfNext() : 0
      const larger = Buffer.allocUnsafeSlow(Math.max(length, waiting + chunk.length) + chunk.length)
      this.#bytes.copy(larger, 0, this.#start, this.#end)
      this.#bytes = larger
      this.#start = 0
      this.#end = waiting
    }
    this.#end += chunk.copy(this.#bytes, this.#end)
  }

  #lengthOfNext(): number {
    const bytes = this.#bytes
    const length = headBytes + bytes.readUInt32BE(this.#start)
    if (bytes[this.#start + 4] !== version)
      throw new Error(`a peer speaks version ${bytes[this.#start + 4]}, not ${version}`)
    if (length > largestParcel)
      throw new Error(`a peer sends ${length} bytes at once, more than ${largestParcel}`)
    return length
  }
}

function unpack(bytes: Buffer): Incoming {
  const body = bytes.subarray(headBytes)
  if (bytes[5] === Form.PARTITIONS) return { kind: 'partitions', messages: readPartitionFrame(body) }
  const parcel: unknown = packr.unpack(body)
  if (!isParcel(parcel)) throw new Error('a peer sends something that is no parcel')
  return parcel
}

function isParcel(value: unknown): value is Parcel {
  if (typeof value !== 'object' || value === null || !('kind' in value && 'from' in value)) return false
  if (value.kind === 'hello') return 'cluster' in value && 'address' in value && 'known' in value
  return value.kind === 'message' && 'message' in value
}
