import type { Socket } from 'node:net'
import { DEFERRED } from './deferred-answer.ts'
import { announcedBytes, HEADER_BYTES } from './frame-header.ts'
import { HeldAnswers } from './held-answers.ts'
import type { InfoCaller } from './info/info-command.ts'
import { forgetUserAgent } from './info/statistics-commands.ts'
import { PartialFrame } from './partial-frame.ts'
import type { TakeBytes } from './reading-socket.ts'
import { JUST_NOW, type Service, type UnfinishedAnswer } from './service.ts'

const NOTHING = Buffer.alloc(0)

/**
 * One client connection. Each read is worked through in place and all of its answers leave in one write, from a
 * buffer that all connections share; when the kernel does not take them at once the buffer goes to the socket and
 * the others get a new one, so no reader ever sees bytes that were not meant for it.
 *
 * Answers leave in the order of their requests. Those that wait, for a disk or for other nodes, are held aside with all
 * that follow them, while later requests are worked on. What waits is bounded: above `queuedBytes` or `deferredAnswers`
 * the input is left unread, which makes the client's own kernel hold it back.
 */
export class Connection {
  readonly #socket: Socket
  readonly #service: Service
  readonly #whenClosed: () => void
  readonly #caller: InfoCaller = {}
  readonly #partial = new PartialFrame()
  readonly #held: HeldAnswers
  #isWoken = false
  /** Bytes that the socket has and the kernel has not. */
  #unsentBytes = 0
  /** Input that was read and is worked on when there is room for its answers. */
  #unread: Buffer = NOTHING
  /** An answer that is made in pieces; what was read behind its request waits. */
  #unfinished: UnfinishedAnswer | undefined
  #hasTurn = false
  /** Set when the stream cannot be understood any more: what is owed leaves, then the connection is reset. */
  #refused = false
  #stopped = false

  /** `open` answers the socket and from then on hands over what it reads. */
  constructor(open: (take: TakeBytes) => Socket, service: Service, closed: () => void) {
    this.#service = service
    this.#whenClosed = closed
    this.#held = new HeldAnswers({
      isSynced: (ticket) => service.syncs.isSynced(ticket),
      whenSynced: (ticket) =>
        service.whenSynced(ticket, (failed) => (failed ? this.destroy() : this.#release())),
      count: (bytes) => service.countQueued(this, bytes),
      write: (bytes, more) => {
        if (more) this.#socket.cork()
        this.#socket.write(bytes)
      },
      wake: () => this.#wake(),
      takesMore: () => this.#unsentBytes < service.limits.queuedBytes,
      isFull: () => this.#isFull,
    })
    const socket = open((bytes, length, mayKeep) => this.#work(bytes, 0, length, mayKeep))
    this.#socket = socket
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#closed())
  }

  /** Bytes of answers that have not left. */
  get queuedBytes(): number {
    return this.#held.bytes + this.#unsentBytes
  }

  /** Whether so much waits that nothing more is read. */
  get #isFull(): boolean {
    const { queuedBytes, deferredAnswers } = this.#service.limits
    return this.queuedBytes >= queuedBytes || this.#held.deferred >= deferredAnswers
  }

  /** True while answers have not left, or requests that were read wait for room. */
  get owes(): boolean {
    return this.queuedBytes > 0 || this.#unread.length > 0 || this.#unfinished !== undefined
  }

  stopReading(): void {
    this.#stopped = true
    this.#socket.pause()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Answers all whole frames of `chunk` from `at` to `end`; keeps what is left over. */
  #work(chunk: Buffer, at: number, end: number, mayKeep: boolean): void {
    const service = this.#service
    const now = service.clock()
    const started = performance.now()
    const begin = at
    while (at < end && !this.#refused && !this.#socket.destroyed) {
      if (!this.#partial.active && end - at >= HEADER_BYTES) {
        const size = announcedBytes(chunk, at)
        if (size < 0) {
          this.#refused = true
          break
        }
        const next = at + HEADER_BYTES + size
        if (next <= end) {
          this.#answer(chunk, at, next, at === begin ? JUST_NOW : now)
          at = next
          if (this.#unfinished) {
            if (!mayKeep) this.#unfinished.keepRequest()
            break
          }
          if ((service.out.length >= service.limits.queuedBytes || this.#isFull) && !this.#makeRoom()) break
          continue
        }
      }
      at = this.#collect(chunk, at, end, now)
      if (this.#unfinished) break
    }
    this.#flush()
    service.took(started, now)
    if (this.#refused) this.#refuse()
    else if (at < end || this.#unfinished)
      this.#leaveUnread(mayKeep ? chunk.subarray(at, end) : Buffer.from(chunk.subarray(at, end)))
    else if (this.#isFull) this.#socket.pause()
  }

  /** Adds to the frame that arrives in pieces, and answers it when it is whole. */
  #collect(chunk: Buffer, at: number, end: number, now: number): number {
    const partial = this.#partial
    const before = partial.length
    if (before === 0) partial.arrived = now
    at = partial.take(chunk, at, end)
    if (partial.wantsSize) {
      const size = announcedBytes(partial.buffer, 0)
      if (size < 0) this.#refused = true
      else {
        partial.expect(size)
        at = partial.take(chunk, at, end)
      }
    }
    this.#service.countPartial(this, partial.length - before)
    if (!partial.complete) return at
    this.#answer(partial.buffer, 0, partial.length, partial.arrived)
    if (!this.#unfinished) this.#forgetPartial()
    return at
  }

  #forgetPartial(): void {
    this.#service.countPartial(this, -this.#partial.length)
    this.#partial.reset()
  }

  #answer(buffer: Buffer, start: number, end: number, arrived: number): void {
    const service = this.#service
    const before = service.out.length
    const ticket = service.answer(buffer, start, end, arrived, this.#caller)
    if (service.unfinished) {
      this.#unfinished = service.unfinished
      service.unfinished = undefined
    }
    if (ticket !== 0) this.#waitFor(ticket, before)
  }

  /** What stands in the shared buffer from `start` on must not leave before the ticket says so. */
  #waitFor(ticket: number, start: number): void {
    const service = this.#service
    if (ticket === DEFERRED) this.#held.defer(service.takeDeferred(), start, service.out.length)
    else if (!service.syncs.isSynced(ticket)) this.#held.waitFor(ticket, start)
  }

  /** Makes the next piece of a long answer. */
  #goOn(unfinished: UnfinishedAnswer): void {
    const service = this.#service
    const started = performance.now()
    const ticket = service.resume(unfinished)
    if (ticket !== 0) this.#waitFor(ticket, 0)
    if (unfinished.done) {
      this.#unfinished = undefined
      if (this.#partial.complete) this.#forgetPartial()
    }
    this.#flush()
    service.took(started)
    this.#takeTurn()
  }

  /** Goes on when others have had their turn. */
  #takeTurn(): void {
    if (this.#hasTurn) return
    this.#hasTurn = true
    setImmediate(() => {
      this.#hasTurn = false
      this.#resume()
    })
  }

  /** Sends what has been answered so far; false when too much is waiting to go on. */
  #makeRoom(): boolean {
    this.#flush()
    return !this.#isFull
  }

  #flush(): void {
    const { out } = this.#service
    const { length } = out
    const ready = this.#held.ready(length)
    this.#held.take(out.buffer, ready, length)
    if (ready > 0) this.#send(ready)
    else out.reset()
  }

  /** Writes the first `length` bytes of the shared buffer, which is free again afterwards. */
  #send(length: number): void {
    const service = this.#service
    if (this.#socket.destroyed) return service.out.reset()
    this.#socket.write(service.out.buffer.subarray(0, length))
    if (this.#socket.writableLength === 0) {
      service.out.reset()
      return
    }
    // The kernel did not take all of it: the bytes stay the socket's until a write behind them has ended.
    const taken = service.takeOut()
    this.#track(length, () => service.giveBack(taken))
  }

  /** Counts `length` bytes as unsent until a write behind them has ended. */
  #track(length: number, sent?: () => void): void {
    this.#unsentBytes += length
    this.#service.countQueued(this, length)
    this.#socket.write(NOTHING, (error) => {
      if (error || this.#socket.destroyed) return
      this.#unsentBytes -= length
      this.#service.countQueued(this, -length)
      sent?.()
      this.#resume()
    })
  }

  /** At the end of what goes on now: many answers may become ready together. */
  #wake(): void {
    if (this.#isWoken) return
    this.#isWoken = true
    queueMicrotask(() => {
      this.#isWoken = false
      this.#release()
    })
  }

  /** Lets go of the answers that may leave. */
  #release(): void {
    if (this.#socket.destroyed) return
    const written = this.#held.release()
    while (this.#socket.writableCorked > 0) this.#socket.uncork()
    if (written > 0 && this.#socket.writableLength > 0) this.#track(written)
    this.#resume()
  }

  #leaveUnread(bytes: Buffer): void {
    this.#unread = bytes
    this.#socket.pause()
    if (this.#unfinished) this.#takeTurn()
  }

  /** Goes on with the input once there is room for answers again. */
  #resume(): void {
    if (this.#socket.destroyed) return
    if (this.#refused) return this.#finishRefusal()
    if (this.#isFull) return
    if (this.#unfinished) return this.#goOn(this.#unfinished)
    if (this.#unread.length > 0) {
      const chunk = this.#unread
      this.#unread = NOTHING
      this.#work(chunk, 0, chunk.length, true)
      if (this.#unread.length > 0 || this.#isFull) return
    }
    if (!this.#stopped) this.#socket.resume()
  }

  #refuse(): void {
    this.#service.node.counters.refusedStreams++
    this.#finishRefusal()
  }

  #finishRefusal(): void {
    this.#socket.pause()
    if (this.queuedBytes === 0) this.#socket.resetAndDestroy()
  }

  #closed(): void {
    this.#service.countQueued(this, -this.#unsentBytes)
    this.#service.countPartial(this, -this.#partial.length)
    this.#unsentBytes = 0
    this.#held.clear()
    this.#unfinished = undefined
    this.#partial.reset()
    this.#unread = NOTHING
    forgetUserAgent(this.#service.node, this.#caller)
    this.#whenClosed()
  }
}
