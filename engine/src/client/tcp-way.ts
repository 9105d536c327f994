import type { ByteWriter } from '../values/byte-writer.ts'
import { ByteWriter as Writer } from '../values/byte-writer.ts'
import { Connection } from './connection.ts'
import { type Lane, type Way, WayError } from './way.ts'

/** Reaches one node over TCP: one connection a lane, opened when first needed and again after it failed. */
export class TcpWay implements Way {
  readonly host: string
  readonly port: number
  readonly #lanes = new Map<Lane, Connection>()
  readonly #opening = new Map<Lane, Promise<Connection>>()
  #closed = false

  constructor(host: string, port: number) {
    this.host = host
    this.port = port
  }

  async send(request: ByteWriter, lane: Lane, timeout: number): Promise<Buffer> {
    const ready = this.#lanes.get(lane)
    if (ready?.usable) return ready.send(request, timeout)
    // The caller reuses its writer as soon as this call has returned.
    const copy = new Writer(request.length)
    copy.bytes(request.buffer, 0, request.length)
    const connection = await this.#open(lane, timeout)
    return connection.send(copy, timeout)
  }

  close(): void {
    this.#closed = true
    for (const connection of this.#lanes.values()) connection.close()
  }

  #open(lane: Lane, timeout: number): Promise<Connection> {
    if (this.#closed) return Promise.reject(new WayError('closed', false, 'the client is closed'))
    const underway = this.#opening.get(lane)
    if (underway) return underway
    const opening = Connection.open(this.host, this.port, lane, timeout).then((connection) => {
      if (this.#closed) connection.close()
      this.#lanes.set(lane, connection)
      return connection
    })
    this.#opening.set(lane, opening)
    const done = () => this.#opening.delete(lane)
    opening.then(done, done)
    return opening
  }
}
