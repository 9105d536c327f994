import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { bareAnswer } from '../../../engine/src/cluster/client-request.ts'
import type { ClusteredNamespace, OpenWrite } from '../../../engine/src/cluster/clustered-namespace.ts'
import { NamespaceCopies } from '../../../engine/src/cluster/namespace-copies.ts'
import type { RoutedRequest } from '../../../engine/src/cluster/request-routing.ts'
import type { StoredVersion } from '../../../engine/src/cluster/stored-version.ts'
import { ResponseBuffer } from '../../../engine/src/protocol/response.ts'
import { DEFERRED } from '../../../engine/src/server/deferred-answer.ts'
import { Dispatcher } from '../../../engine/src/server/dispatch.ts'
import { JUST_NOW } from '../../../engine/src/server/service.ts'
import { SyncLedger } from '../../../engine/src/server/sync-ledger.ts'
import { Fixture } from '../namespace/fixture.ts'
import { body, codeOf, digestOf, integer, messagesOf, op } from './messages.ts'

const partitions = 4096

/** A dispatcher whose node is the master of everything, with a replica that answers when the test says so. */
class Scene {
  readonly out = new ResponseBuffer()
  readonly wrote: { version: StoredVersion; open: OpenWrite | undefined }[] = []
  readonly alone: number[] = []
  readonly submitted: RoutedRequest[] = []
  hasReplicas = true
  takesWrites = true
  readonly #dispatcher: Dispatcher

  constructor({ namespace, store }: Fixture) {
    const copies = new NamespaceCopies(namespace, partitions)
    for (let partition = 0; partition < partitions; partition++) copies.enter(partition, 1)
    const limits = { transactionMaxMs: 1000, batchMaxRequests: 0 }
    this.#dispatcher = new Dispatcher([namespace], limits, Date.now, new SyncLedger([store]))
    const master = {
      serve: () => undefined,
      inPlace: {
        hasReplicas: true,
        newest: (digest: Buffer) => copies.find(digest),
        wrote: (_now: number, version: StoredVersion, open: OpenWrite | undefined) =>
          void this.wrote.push({ version, open }),
        wroteAlone: (sequence: number) => void this.alone.push(sequence),
      },
    }
    const clustered: ClusteredNamespace = {
      name: 'test',
      store: copies,
      place: () => ({ master: 'A1', replicas: ['A1', 'B2'], order: ['A1', 'B2'], holders: [] }),
      masterOf: () =>
        this.takesWrites
          ? { ...master, inPlace: { ...master.inPlace, hasReplicas: this.hasReplicas } }
          : { serve: master.serve },
      answersReads: () => true,
    }
    this.#dispatcher.join({
      namespace: () => clustered,
      submit: (request) => this.submitted.push(request),
      cancel: () => undefined,
      wake: () => undefined,
      truncate: () => false,
      set: () => undefined,
      strongTruncation: () => undefined,
      onFault: (error) => {
        throw error
      },
    })
  }

  /** Dispatches one body; answers what it wrote, and what it waits for. */
  ask(request: Buffer) {
    this.out.reset()
    const ticket = this.#dispatcher.dispatch(request, 0, request.length, JUST_NOW, this.out)
    const deferred = ticket === DEFERRED ? this.#dispatcher.takeDeferred() : undefined
    return { ticket, deferred, written: Buffer.from(this.out.buffer.subarray(0, this.out.length)) }
  }
}

let scene: Scene

const increment = (digest: number, more: { info3?: number; transactionTtl?: number } = {}): Buffer =>
  body({ info1: 1, info2: 1, digest, ops: [op(5, 'n', 1, integer(1)), op(1, 'n')], ...more })

beforeEach(async () => {
  scene = new Scene(await Fixture.open({ tombstoneLife: 86_400_000 }))
})
afterEach(() => void vi.useRealTimers())

describe('a write at its master', () => {
  it('stands in the answer and leaves when the replicas have the record', () => {
    const { deferred, written } = scene.ask(increment(1))
    expect(codeOf(written)).toBe(0)
    expect(deferred?.ended).toBe(false)
    const { version, open } = scene.wrote[0]!
    expect(version).toMatchObject({ digest: digestOf(1), sequence: 1, generation: 1, deleted: false })
    open!.acknowledge()
    expect([deferred?.ended, deferred?.instead]).toEqual([true, undefined])
    expect(scene.submitted).toEqual([])
  })

  it('hands over what each write made, deletes included', () => {
    for (let i = 0; i < 3; i++) scene.ask(increment(1))
    scene.ask(body({ info2: 3, digest: 1 }))
    expect(scene.wrote.map(({ version }) => [version.sequence, version.generation, version.deleted])).toEqual(
      [
        [1, 1, false],
        [2, 2, false],
        [3, 3, false],
        [4, expect.any(Number), true],
      ],
    )
  })

  it('that changes nothing is answered at once', () => {
    const { ticket, written } = scene.ask(body({ info2: 3, digest: 9 }))
    expect([ticket, codeOf(written), scene.wrote.length]).toEqual([0, 2, 0])
  })

  it('is answered with a time-out when the time is over, and only once', async () => {
    const { deferred } = scene.ask(increment(2, { transactionTtl: 60 }))
    for (let tries = 0; tries < 200 && !deferred!.ended; tries++)
      await new Promise((resolve) => setTimeout(resolve, 5))
    expect(codeOf(deferred!.instead!)).toBe(9)
    scene.wrote[0]!.open!.acknowledge()
    expect(codeOf(deferred!.instead!)).toBe(9)
  })

  it('whose client is content with the master waits for nobody', () => {
    const { ticket, written } = scene.ask(increment(3, { info3: 2 }))
    expect([ticket, codeOf(written)]).toEqual([0, 0])
    expect(scene.wrote.map(({ open }) => open)).toEqual([undefined])
  })

  it('without replicas waits for nobody, and is told to nobody', () => {
    scene.hasReplicas = false
    expect(scene.ask(increment(4)).ticket).toBe(0)
    expect([scene.alone, scene.wrote]).toEqual([[1], []])
  })

  it('goes the longer way while the master has to ask others first', () => {
    scene.takesWrites = false
    const { deferred, written } = scene.ask(increment(5))
    expect(written.length).toBe(0)
    expect(scene.submitted.map(({ namespace, time }) => [namespace, time])).toEqual([['test', 1000]])
    scene.submitted[0]!.answer(bareAnswer(0))
    expect(codeOf(deferred!.instead!)).toBe(0)
    expect(scene.wrote).toEqual([])
  })

  it('is seen by a read behind it, which does not wait', () => {
    scene.ask(increment(6))
    const { ticket, written } = scene.ask(body({ info1: 3, digest: 6 }))
    expect(ticket).toBe(0)
    expect(Number(messagesOf(written)[0]!.ops[0]!.value.readBigInt64BE())).toBe(1)
  })
})
