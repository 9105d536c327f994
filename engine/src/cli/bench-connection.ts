import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { CommandError } from './command.ts'
import type { BenchFrames } from './bench-frames.ts'
import { copyDigest } from './bench-frames.ts'

const HEADER_BYTES = 8
/** Byte 5 of the message, behind the frame's header. */
const RESULT_AT = HEADER_BYTES + 5
const NOT_FOUND = 2

export interface BenchLoad {
  readonly keys: number
  readonly pipeline: number
  /** Share of reads, 0 to 1. */
  readonly reads: number
  /** Write the keys one after the other instead. */
  readonly fill: boolean
}

export interface BenchTally {
  requests: number
  errors: number
  notFound: number
  readonly latency: { record(nanoseconds: number): void }
}

/** One connection that sends `pipeline` requests in one write and the next ones when all answers are here. */
export class BenchConnection {
  readonly #socket: Socket
  readonly #frames: BenchFrames
  readonly #load: BenchLoad
  readonly #tally: BenchTally
  readonly #out: Buffer
  readonly #nextKey: () => number
  #waiting = 0
  #sentAt = 0n
  /** Bytes of an answer that arrived in pieces. */
  #rest: Buffer = Buffer.alloc(0)
  #stopped = false
  #finish: () => void = () => undefined
  readonly finished = new Promise<void>((resolve) => (this.#finish = resolve))

  constructor(
    socket: Socket,
    frames: BenchFrames,
    load: BenchLoad,
    tally: BenchTally,
    nextKey: () => number,
  ) {
    this.#socket = socket
    this.#frames = frames
    this.#load = load
    this.#tally = tally
    this.#nextKey = nextKey
    this.#out = Buffer.allocUnsafe(
      Math.max(frames.read.bytes.length, frames.write.bytes.length) * load.pipeline,
    )
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('close', () => this.#finish())
  }

  static open(host: string, port: number): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true }, () => resolve(socket))
      socket.on('error', (error) =>
        reject(new CommandError(`cannot reach ${host}:${port}: ${error.message}`)),
      )
    })
  }

  /** No more requests; `finished` when the last answers are here. */
  stop(): void {
    this.#stopped = true
    if (this.#waiting === 0) this.#socket.destroy()
  }

  send(): void {
    let length = 0
    let count = 0
    while (count < this.#load.pipeline) {
      const key = this.#nextKey()
      if (key < 0) break
      const frame =
        this.#load.fill || Math.random() >= this.#load.reads ? this.#frames.write : this.#frames.read
      frame.bytes.copy(this.#out, length)
      copyDigest(this.#frames, key, this.#out, length + frame.digestAt)
      length += frame.bytes.length
      count++
    }
    if (count === 0) {
      this.#socket.destroy()
      return
    }
    this.#waiting = count
    this.#sentAt = process.hrtime.bigint()
    this.#socket.write(this.#out.subarray(0, length))
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    let at = 0
    while (bytes.length - at >= HEADER_BYTES) {
      const next = at + HEADER_BYTES + bytes.readUIntBE(at + 2, 6)
      if (next > bytes.length) break
      this.#count(bytes[at + RESULT_AT]!)
      at = next
    }
    this.#rest = bytes.subarray(at)
    if (this.#waiting > 0) return
    if (this.#stopped) this.#socket.destroy()
    else this.send()
  }

  #count(result: number): void {
    const tally = this.#tally
    tally.requests++
    if (result === NOT_FOUND) tally.notFound++
    else if (result !== 0) tally.errors++
    tally.latency.record(Number(process.hrtime.bigint() - this.#sentAt))
    this.#waiting--
  }
}
