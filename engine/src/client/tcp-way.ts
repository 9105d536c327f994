import type { ByteWriter } from '../values/byte-writer.ts'
import { Connection } from './connection.ts'
import { type Lane, type Receiver, type Way, WayError } from './way.ts'

export interface TcpWayOptions {
  readonly host: string
  readonly port: number
  readonly connectTimeout: number
  /** Called when a connection for records has ended, whatever ended it. */
  readonly broken: () => void
}

/** Reaches one node over TCP: one connection a lane, opened when first needed and again after it failed. */
export class TcpWay implements Way {
  readonly #options: TcpWayOptions
  readonly #lanes = new Map<Lane, Connection>()
  #closed: WayError | undefined

  constructor(options: TcpWayOptions) {
    this.#options = options
  }

  send(request: ByteWriter, lane: Lane, timeout: number, receiver: Receiver): void {
    if (this.#closed) return receiver.failed(this.#closed)
    const connection = this.#lanes.get(lane) ?? this.#open(lane)
    connection.send(request, timeout, receiver)
  }

  close(kind: WayError['kind'] = 'closed', message = 'the client is closed'): void {
    this.#closed ??= new WayError(kind, false, message)
    for (const connection of [...this.#lanes.values()]) connection.close(kind, message)
  }

  #open(lane: Lane): Connection {
    const { host, port, connectTimeout, broken } = this.#options
    const connection: Connection = new Connection({
      host,
      port,
      connectTimeout,
      ended: () => {
        if (this.#lanes.get(lane) === connection) this.#lanes.delete(lane)
        if (lane !== 'info' && !this.#closed) broken()
      },
    })
    this.#lanes.set(lane, connection)
    return connection
  }
}
