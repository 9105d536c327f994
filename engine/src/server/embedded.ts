import type { EmbeddedNode, EmbeddedResponse } from '../protocol/transport.ts'
import { announcedBytes, HEADER_BYTES } from './frame-header.ts'
import type { Service } from './service.ts'

/** One request of so many is timed, and stands for those before it: a clock costs a tenth of a request. */
const TIMED_EVERY = 16

/** The node as a client in the same process reaches it: no socket, no copy of the answer unless it has to wait. */
export class EmbeddedService implements EmbeddedNode {
  readonly #service: Service
  readonly #caller = {}
  /** Set while an answer is read by its receiver: a request made from there needs a buffer of its own. */
  #busy = false
  #count = 0

  constructor(service: Service) {
    this.#service = service
  }

  request(request: Buffer, start: number, end: number, respond: EmbeddedResponse): void {
    if (announcedBytes(request, start) !== end - start - HEADER_BYTES)
      throw new RangeError('not one whole frame')
    const service = this.#service
    if (this.#busy) return this.#nested(request, start, end, respond)
    const isTimed = this.#count++ % TIMED_EVERY === 0
    const started = isTimed ? performance.now() : 0
    const ticket = service.answerWhole(request, start, end, this.#caller)
    if (isTimed) service.took(started)
    const { out } = service
    if (ticket !== 0) {
      const copy = Buffer.from(out.buffer.subarray(0, out.length))
      out.reset()
      service.whenSynced(ticket, (failed) => respond(copy, 0, failed ? 0 : copy.length))
      return
    }
    this.#busy = true
    try {
      respond(out.buffer, 0, out.length)
    } finally {
      this.#busy = false
      out.reset()
    }
  }

  #nested(request: Buffer, start: number, end: number, respond: EmbeddedResponse): void {
    const outer = this.#service.takeOut()
    this.#busy = false
    try {
      this.request(request, start, end, respond)
    } finally {
      this.#service.giveBack(this.#service.out)
      this.#service.out = outer
      this.#busy = true
    }
  }
}
