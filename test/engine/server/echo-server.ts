import { ResponseBuffer } from '../../../engine/src/protocol/response.ts'
import { DEFERRED, type DeferredAnswer } from '../../../engine/src/server/deferred-answer.ts'
import { LocalNode } from '../../../engine/src/server/local-node.ts'
import type { Limits } from '../../../engine/src/server/limits.ts'
import { defaultLimits } from '../../../engine/src/server/limits.ts'
import { Listener } from '../../../engine/src/server/listener.ts'
import type { MessageHandler, Syncs, UnfinishedAnswer } from '../../../engine/src/server/service.ts'
import { Service } from '../../../engine/src/server/service.ts'
import { Settings } from '../../../engine/src/server/settings.ts'

/** A store whose writes are synced when the test says so. */
export class ManualSyncs implements Syncs {
  synced = 0
  readonly #waiting: { ticket: number; callback: (failed: boolean) => void }[] = []

  isSynced(ticket: number): boolean {
    return ticket <= this.synced
  }

  whenSynced(ticket: number, callback: (failed: boolean) => void): void {
    this.#waiting.push({ ticket, callback })
  }

  sync(ticket: number): void {
    this.synced = ticket
    this.#run((waiting) => waiting.ticket <= ticket, false)
  }

  fail(): void {
    this.#run(() => true, true)
  }

  #run(ready: (waiting: { ticket: number }) => boolean, failed: boolean): void {
    const due = this.#waiting.filter(ready)
    this.#waiting.splice(0, this.#waiting.length, ...this.#waiting.filter((waiting) => !ready(waiting)))
    for (const { callback } of due) callback(failed)
  }
}

/** A handler whose answer to a body is what the test makes of it. */
export type Answer = (
  body: Buffer,
  arrived: number,
) => Piece & { rest?: readonly Piece[]; deferred?: DeferredAnswer }

interface Piece {
  readonly bytes: Buffer
  readonly ticket?: number
}

export interface TestServer {
  readonly port: number
  readonly service: Service
  readonly node: LocalNode
  readonly listener: Listener
  readonly syncs: ManualSyncs
  /** What the node told its owner. */
  readonly notes: readonly string[]
  close(): Promise<void>
}

/** The real listener and connections in front of a handler of the test's own. */
export async function serve(answer: Answer, limits: Partial<Limits> = {}): Promise<TestServer> {
  const syncs = new ManualSyncs()
  const config = { host: '127.0.0.1', port: 0, nodeId: 'A1', clusterName: 'c' }
  const notes: string[] = []
  const node = new LocalNode(
    config,
    [],
    new Settings(),
    () => performance.now(),
    (line) => notes.push(line),
  )
  let unfinished: UnfinishedAnswer | undefined
  let deferred: DeferredAnswer | undefined
  const messages: MessageHandler = {
    dispatch(request, start, end, arrived, out) {
      const { bytes, ticket, rest, deferred: later } = answer(request.subarray(start, end), arrived)
      if (rest) unfinished = inPieces(rest)
      out.append(bytes)
      deferred = later
      return later ? DEFERRED : (ticket ?? 0)
    },
    takeDeferred() {
      const taken = deferred
      deferred = undefined
      return taken
    },
    takeUnfinished() {
      const taken = unfinished
      unfinished = undefined
      return taken
    },
  }
  const newBuffer = (): ResponseBuffer => new ResponseBuffer()
  const service = new Service({ node, messages, syncs, newBuffer, limits: { ...defaultLimits, ...limits } })
  const listener = new Listener(service)
  const port = await listener.listen('127.0.0.1', 0)
  node.opened(port)
  return { port, service, node, listener, syncs, notes, close: () => listener.close() }
}

function inPieces(pieces: readonly Piece[]): UnfinishedAnswer {
  let next = 0
  return {
    get done() {
      return next === pieces.length
    },
    started: 0,
    keepRequest: () => undefined,
    resume(out) {
      const { bytes, ticket } = pieces[next++]!
      out.append(bytes)
      return ticket ?? 0
    },
    fail() {
      next = pieces.length
    },
  }
}
