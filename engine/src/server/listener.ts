import type { Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import { Connection } from './connection.ts'
import { SocketReader, type TakeBytes } from './reading-socket.ts'
import type { Service } from './service.ts'
import { listenError } from './start-error.ts'

/** A connection that still owes answers when the node closes gets this long to take them, in ms. */
const DRAIN_MS = 2000
const DRAIN_STEP_MS = 5

/** Accepts clients on one port. */
export class Listener {
  readonly #server: Server
  readonly #service: Service
  readonly #reader = new SocketReader()
  readonly #connections = new Set<Connection>()
  #maxConnections: number
  #whenEmpty: (() => void) | undefined

  constructor(service: Service) {
    this.#service = service
    this.#maxConnections = service.limits.maxConnections
    this.#server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.#accept(socket))
  }

  get connections(): number {
    return this.#connections.size
  }

  /** One connection more than this is closed as it comes. */
  limitConnections(count: number): void {
    this.#maxConnections = count
  }

  /** Answers the port that was opened. Rejects with a StartError. */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(error, host, port)))
      this.#server.listen(port, host, resolve)
    })
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('listening without a port')
    return address.port
  }

  /** Takes no more connections or requests, lets what is owed leave, and closes. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    const until = this.#service.clock() + DRAIN_MS
    for (const connection of this.#connections) connection.stopReading()
    while (this.#service.clock() < until && [...this.#connections].some(({ owes }) => owes))
      await new Promise((resolve) => setTimeout(resolve, DRAIN_STEP_MS))
    const empty = new Promise<void>((resolve) => (this.#whenEmpty = resolve))
    for (const connection of this.#connections) connection.destroy()
    if (this.#connections.size > 0) await empty
    await closed
  }

  #accept(socket: Socket): void {
    if (this.#connections.size >= this.#maxConnections) {
      socket.destroy()
      return
    }
    const { counters } = this.#service.node
    counters.connectionsOpened++
    const open = (take: TakeBytes): Socket => this.#reader.open(socket, take)
    const connection = new Connection(open, this.#service, () => {
      this.#connections.delete(connection)
      counters.connectionsClosed++
      if (this.#connections.size === 0) this.#whenEmpty?.()
    })
    this.#connections.add(connection)
  }
}
