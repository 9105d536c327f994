import type { EmbeddedNode } from '../protocol/transport.ts'
import type { ByteWriter } from '../values/byte-writer.ts'
import { type Lane, type Way, WayError } from './way.ts'

/** Reaches a node in the same process: a call, and a timer only where the answer has to be waited for. */
export class EmbeddedWay implements Way {
  readonly #node: EmbeddedNode
  #closed = false

  constructor(node: EmbeddedNode) {
    this.#node = node
  }

  send(request: ByteWriter, _lane: Lane, timeout: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new WayError('closed', false, 'the client is closed'))
      let answered = false
      let timer: NodeJS.Timeout | undefined
      this.#node.request(request.buffer, 0, request.length, (answer, start, end) => {
        answered = true
        clearTimeout(timer)
        if (start === end) reject(new WayError('connection', true, 'the disk of the node failed'))
        else resolve(Buffer.from(answer.subarray(start, end)))
      })
      if (!answered)
        timer = setTimeout(() => reject(new WayError('timeout', true, `no answer in ${timeout} ms`)), timeout)
    })
  }

  close(): void {
    this.#closed = true
  }
}
