/**
 * Sockets that read into one buffer that all of them share, instead of a new one for each read.
 *
 * A socket can be told so (`onread`) only when it is made, and those of a server are made inside `node:net`; so the
 * handle of an accepted socket is given to a new one. That is cheaper than a stream of buffers by about the work of a
 * small request (`npm run bench -- throughput` has a bare echo that reads as a stream). Where the handle cannot be got at, the socket is read as a stream.
 */
import { Socket, type SocketConstructorOpts } from 'node:net'

/** As many as the system's loop reads at once. */
const READ_BYTES = 64 * 1024

/** Bytes 0 to `length` of `buffer`. They are gone when the call returns, unless `mayKeep`. */
export type TakeBytes = (buffer: Buffer, length: number, mayKeep: boolean) => void

export class SocketReader {
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES)

  /** Goes on with a socket accepted with `pauseOnConnect`, from which nothing has been read. The result takes its place. */
  open(accepted: Socket, take: TakeBytes): Socket {
    const handle: unknown = Reflect.get(accepted, '_handle')
    if (typeof handle !== 'object' || handle === null || !('useUserBuffer' in handle)) {
      accepted.on('data', (chunk: Buffer) => take(chunk, chunk.length, true))
      return accepted.resume()
    }
    Reflect.set(accepted, '_handle', null)
    accepted.destroy()
    const buffer = this.#buffer
    const callback = (length: number): boolean => {
      take(buffer, length, false)
      return true
    }
    const options: SocketConstructorOpts = { onread: { buffer, callback } }
    Reflect.set(options, 'handle', handle)
    return new Socket(options).resume()
  }
}
