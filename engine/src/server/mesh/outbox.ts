/**
 * What one node says to another on one connection. Messages about partitions collect in frames until the turn of the
 * event loop ends; all of a turn goes out in one write, in the order in which it was said.
 */
import type { Socket } from 'node:net'
import type { PartitionMessage } from '../../cluster/data-message.ts'
import { newPartitionFrame, packPartitionFrame } from './parcel.ts'
import type { PartitionFrameWriter } from './partition-frame.ts'

/** A frame that is longer is ended: the reader of a frame needs all of it at once. */
const frameBytes = 64 * 1024

export class Outbox {
  readonly #limit: number
  #socket: Socket | undefined
  #frame: PartitionFrameWriter | undefined
  #turn: NodeJS.Immediate | undefined

  /** `limit`: bytes that wait in the connection; beyond that messages are dropped, and their senders send them again. */
  constructor(limit: number) {
    this.#limit = limit
  }

  get socket(): Socket | undefined {
    return this.#socket
  }

  /** Whatever was collected for another connection is gone with it. */
  set socket(socket: Socket | undefined) {
    this.#socket = socket
    this.#frame = undefined
    clearImmediate(this.#turn)
    this.#turn = undefined
  }

  send(bytes: Buffer): void {
    if (!this.#hasRoom()) return
    this.#endFrame()
    this.#write(bytes)
  }

  add(message: PartitionMessage): void {
    if (!this.#hasRoom()) return
    const frame = this.#frame
    const isOther = frame && (frame.view !== message.view || frame.namespace !== message.namespace)
    if (isOther || (frame && frame.length > frameBytes)) this.#endFrame()
    this.#frame ??= newPartitionFrame(message.view, message.namespace)
    this.#frame.add(message)
    this.#endTurnLater()
  }

  #hasRoom(): boolean {
    return this.#socket !== undefined && this.#socket.writableLength <= this.#limit
  }

  #endFrame(): void {
    if (!this.#frame) return
    const frame = this.#frame
    this.#frame = undefined
    this.#write(packPartitionFrame(frame))
  }

  #write(bytes: Buffer): void {
    this.#endTurnLater()
    this.#socket?.write(bytes)
  }

  #endTurnLater(): void {
    if (this.#turn) return
    this.#socket?.cork()
    this.#turn = setImmediate(() => {
      this.#endFrame()
      this.#turn = undefined
      this.#socket?.uncork()
    })
  }
}
