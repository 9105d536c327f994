import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { EmbeddedNode } from '../protocol/transport.ts'

const HEADER_BYTES = 8

/** Brings a request frame to a node and its answer frame back. */
export interface Lane {
  request(frame: Buffer): Promise<Buffer>
  close(): void
}

interface Waiting {
  resolve(frame: Buffer): void
  reject(error: Error): void
}

/** One connection; requests are pipelined and answered in order. */
export class SocketLane implements Lane {
  readonly #socket: Socket
  readonly #waiting: Waiting[] = []
  #rest: Buffer = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the node closed the connection')))
  }

  static open(host: string, port: number): Promise<SocketLane> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new SocketLane(socket))
      })
    })
  }

  request(frame: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error('the connection is closed'))
      this.#waiting.push({ resolve, reject })
      this.#socket.write(frame)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    let at = 0
    while (bytes.length - at >= HEADER_BYTES) {
      const next = at + HEADER_BYTES + bytes.readUIntBE(at + 2, 6)
      if (next > bytes.length) break
      this.#waiting.shift()?.resolve(bytes.subarray(at, next))
      at = next
    }
    this.#rest = bytes.subarray(at)
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error)
  }
}

/** A node in this process. */
export class EmbeddedLane implements Lane {
  readonly #node: EmbeddedNode

  constructor(node: EmbeddedNode) {
    this.#node = node
  }

  request(frame: Buffer): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#node.request(frame, 0, frame.length, (answer, start, end) =>
        resolve(Buffer.from(answer.subarray(start, end))),
      )
    })
  }

  close(): void {
    // The node is its owner's to close.
  }
}
