/**
 * What goes between two nodes, as bytes: length (4 bytes), version of this format (1 byte), the parcel in MessagePack.
 * Peers are trusted as far as the cluster's name goes: the envelope is checked, what is inside is taken as it is.
 */
import { Packr } from 'msgpackr'
import type { ClusterMessage } from '../../cluster/cluster-node.ts'
import type { NodeId } from '../../cluster/node-id.ts'
import type { Process } from '../../cluster/process.ts'

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

const version = 1
const headBytes = 5
/** Longer ones are an error of the sender: the connection is closed. */
const largestParcel = 64 * 1024 * 1024

const packr = new Packr({ useRecords: false, mapsAsObjects: true, copyBuffers: true })

export function packParcel(parcel: Parcel): Buffer {
  const body = packr.pack(parcel)
  const head = Buffer.alloc(headBytes)
  head.writeUInt32BE(body.length)
  head[4] = version
  return Buffer.concat([head, body])
}

/** Collects the bytes of one connection and hands out whole parcels. */
export class ParcelReader {
  #bytes: Buffer = Buffer.alloc(0);

  /** Throws when the bytes are not those of a node that speaks this version. */
  *read(chunk: Buffer): Generator<Parcel> {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    while (this.#bytes.length >= headBytes) {
      const end = headBytes + this.#bytes.readUInt32BE()
      if (this.#bytes[4] !== version)
        throw new Error(`a peer speaks version ${this.#bytes[4]}, not ${version}`)
      if (end > largestParcel)
        throw new Error(`a peer sends ${end} bytes at once, more than ${largestParcel}`)
      if (this.#bytes.length < end) return
      const parcel: unknown = packr.unpack(this.#bytes.subarray(headBytes, end))
      this.#bytes = this.#bytes.subarray(end)
      if (!isParcel(parcel)) throw new Error('a peer sends something that is no parcel')
      yield parcel
    }
  }
}

function isParcel(value: unknown): value is Parcel {
  if (typeof value !== 'object' || value === null || !('kind' in value && 'from' in value)) return false
  if (value.kind === 'hello') return 'cluster' in value && 'address' in value && 'known' in value
  return value.kind === 'message' && 'message' in value
}
