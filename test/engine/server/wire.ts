import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** One frame of the given type around a body. */
export function frame(type: number, body: Buffer | string): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body
  const header = Buffer.from([2, type, 0, 0, 0, 0, 0, 0])
  header.writeUIntBE(bytes.length, 2, 6)
  return Buffer.concat([header, bytes])
}

/** A client that sees bytes: sends what it is told and cuts what comes back into frames. */
export class Wire {
  readonly socket: Socket
  readonly #frames: Buffer[] = []
  /** Bytes of the frame that is not whole yet. */
  #parts: Buffer[] = []
  #partBytes = 0
  #wanted = 8
  /** All bytes that ever came. */
  bytes = 0
  #wake: () => void = () => undefined
  closed = false
  reset = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length
      this.#cut(chunk)
      this.#wake()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.reset ||= error.code === 'ECONNRESET'
      this.#wake()
    })
    socket.on('close', () => {
      this.closed = true
      this.#wake()
    })
  }

  static async open(port: number): Promise<Wire> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const wire = new Wire(socket)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return wire
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes)
  }

  /** The next `count` frames; fewer when the connection closes or `ms` pass first. */
  async frames(count: number, ms = 5000): Promise<Buffer[]> {
    await this.until(() => this.#frames.length >= count, ms)
    return this.#frames.splice(0, count)
  }

  async until(condition: () => boolean, ms = 5000): Promise<boolean> {
    const end = Date.now() + ms
    while (!condition() && !this.closed && Date.now() < end)
      await Promise.race([
        new Promise<void>((resolve) => (this.#wake = resolve)),
        sleep(Math.min(50, Math.max(1, end - Date.now()))),
      ])
    return condition()
  }

  close(): void {
    this.socket.destroy()
  }

  #cut(chunk: Buffer): void {
    this.#parts.push(chunk)
    this.#partBytes += chunk.length
    while (this.#partBytes >= this.#wanted) {
      const bytes = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts)
      const size = 8 + bytes.readUIntBE(2, 6)
      if (bytes.length >= size) this.#frames.push(bytes.subarray(0, size))
      const rest = bytes.length >= size ? bytes.subarray(size) : bytes
      this.#wanted = bytes.length >= size ? 8 : size
      this.#parts = [rest]
      this.#partBytes = rest.length
    }
  }
}
