import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { Worker } from 'node:worker_threads'
import type { PgliteAnswer, PgliteRequest, PgliteWorkerData } from './pglite-worker.ts'

const STARTUP_HEADER_BYTES = 4
const MESSAGE_HEADER_BYTES = 5
/** AuthenticationOk and ReadyForQuery (idle): the embedded database has one user and no password. */
const WELCOME = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49])
const QUERY = 0x51
const SYNC = 0x53
const TERMINATE = 0x58

/** The thread that runs the embedded database. `stream` makes what the `pg` driver takes for its socket. */
export class PgliteThread {
  readonly #worker: Worker
  readonly #answers: ((bytes: Uint8Array) => void)[] = []
  #failure: Error | undefined

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (answer: PgliteAnswer) => {
      if (answer.kind === 'bytes') this.#answers.shift()?.(answer.bytes)
      else if (answer.kind === 'failed') this.#failure = new Error(answer.message)
    })
    worker.on('error', (error: Error) => {
      this.#failure = error
    })
  }

  /** @param folder where the data lies; undefined keeps it in memory */
  static async start(folder: string | undefined): Promise<PgliteThread> {
    const data: PgliteWorkerData = { folder }
    const worker = new Worker(new URL('pglite-worker.ts', import.meta.url), { workerData: data })
    const thread = new PgliteThread(worker)
    const [first] = (await once(worker, 'message')) as [PgliteAnswer]
    if (first.kind === 'failed') {
      await worker.terminate()
      throw new Error(`The embedded database in ${folder ?? 'memory'} does not start: ${first.message}`)
    }
    return thread
  }

  /** One batch of protocol messages up to and with a Sync or a simple query. */
  exchange(bytes: Uint8Array, answer: (bytes: Uint8Array) => void): void {
    if (this.#failure) throw this.#failure
    this.#answers.push(answer)
    const request: PgliteRequest = { kind: 'batch', bytes }
    this.#worker.postMessage(request)
  }

  stream(): Duplex {
    return new PgliteStream(this)
  }

  async close(): Promise<void> {
    const closed = once(this.#worker, 'exit')
    const request: PgliteRequest = { kind: 'close' }
    this.#worker.postMessage(request)
    await closed
  }
}

/** What the `pg` driver believes to be a socket. It cuts what the driver writes into whole batches. */
class PgliteStream extends Duplex {
  readonly #thread: PgliteThread
  #pending = Buffer.alloc(0)
  #started = false

  constructor(thread: PgliteThread) {
    super()
    this.#thread = thread
  }

  connect(): this {
    setImmediate(() => this.emit('connect'))
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  override _read(): void {
    // Answers are pushed when they arrive.
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#pending = Buffer.concat([this.#pending, chunk])
    try {
      this.#welcome()
      this.#sendBatches()
      done()
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #welcome(): void {
    if (this.#started || this.#pending.length < STARTUP_HEADER_BYTES) return
    const length = this.#pending.readInt32BE(0)
    if (this.#pending.length < length) return
    this.#pending = this.#pending.subarray(length)
    this.#started = true
    this.push(WELCOME)
  }

  #sendBatches(): void {
    let end = 0
    while (this.#started && this.#pending.length - end >= MESSAGE_HEADER_BYTES) {
      const type = this.#pending[end]
      const next = end + 1 + this.#pending.readInt32BE(end + 1)
      if (next > this.#pending.length) return
      end = next
      if (type === TERMINATE) {
        this.push(null)
        return
      }
      if (type !== SYNC && type !== QUERY) continue
      const batch = new Uint8Array(this.#pending.subarray(0, end))
      this.#pending = this.#pending.subarray(end)
      end = 0
      this.#thread.exchange(batch, (bytes) => this.push(Buffer.from(bytes)))
    }
  }
}
