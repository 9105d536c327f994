import { describe, expect, it } from 'vitest'
import { bareAnswer, type ClientRequest } from '../../../engine/src/cluster/client-request.ts'
import type { ClusteredNamespace } from '../../../engine/src/cluster/clustered-namespace.ts'
import { type RequestFacts, StrongRead } from '../../../engine/src/cluster/copy-store.ts'
import type { ProxiedMessage, ProxyMessage } from '../../../engine/src/cluster/data-message.ts'
import type { Place } from '../../../engine/src/cluster/partition-map.ts'
import { RequestRouting } from '../../../engine/src/cluster/request-routing.ts'
import { readAnswer } from '../../../engine/src/simulator/request-body.ts'

const processOf = (id: string) => ({ id, incarnation: `folder of ${id}`, start: `start of ${id}` })
const okCode = 0
const failedCode = 1
const timeoutCode = 9
const unavailableCode = 11
const overloadCode = 18

/** One node whose partition 0 is its own and whose partition 1 is that of node B2. Bodies: partition, then 'w' or 'r'. */
class Scene {
  now = 0
  view: string | undefined
  readonly sent: { to: string; message: ProxyMessage | ProxiedMessage }[] = []
  readonly served: ClientRequest[] = []
  readonly codes: number[] = []
  readonly faults: unknown[] = []
  throws = false
  isMasterDead = false
  readonly routing: RequestRouting

  constructor() {
    const place = (master: string): Place => ({ master, replicas: [master], order: [master], holders: [] })
    const namespace: ClusteredNamespace = {
      name: 'test',
      store: {
        inspect: (body) => this.#factsOf(body),
        execute: () => ({ answer: bareAnswer(okCode), written: undefined, position: 0 }),
      },
      place: (partition) => (this.view === undefined ? undefined : place(partition === 0 ? 'A1' : 'B2')),
      masterOf: (partition) =>
        this.view !== undefined && partition === 0
          ? { serve: (_now, request) => this.#serve(request) }
          : undefined,
      answersReads: () => false,
    }
    this.routing = new RequestRouting({
      self: processOf('A1'),
      namespaces: new Map([['test', namespace]]),
      view: () => this.view,
      member: processOf,
      isBelievedDead: () => this.isMasterDead,
      onFault: (error) => this.faults.push(error),
      send: (to, message) => void this.sent.push({ to, message }),
    })
  }

  ask(body: string | Buffer, time = 1000): number {
    return this.routing.submit(this.now, {
      namespace: 'test',
      body: typeof body === 'string' ? Buffer.from(body) : body,
      time,
      answer: (frame) => this.codes.push(readAnswer(frame).code),
    })
  }

  tick(now: number): void {
    this.now = now
    this.routing.tick(now)
    this.routing.flush()
  }

  /** Ids that went to B2 since the last call. */
  ids(): number[] {
    this.routing.flush()
    return this.sent
      .splice(0)
      .flatMap(({ message }) => (message.kind === 'proxy' ? message.requests.map(({ id }) => id) : []))
  }

  #serve(request: ClientRequest): void {
    if (this.throws) throw new Error('a defect')
    this.served.push(request)
  }

  #factsOf(body: Buffer): RequestFacts {
    const [partition, kind] = body.toString('latin1', 0, 2)
    return {
      partition: Number(partition),
      digest: body,
      writes: kind === 'w',
      anyReplica: kind === 'r',
      masterOnly: false,
      strongRead: StrongRead.LINEARIZE,
    }
  }
}

describe('requests of a node', () => {
  it('are refused with code 11 before its first view, and wait between later ones', () => {
    const scene = new Scene()
    scene.ask('0w')
    expect(scene.codes).toEqual([unavailableCode])
    scene.view = 'one'
    scene.tick(10)
    scene.view = undefined
    scene.ask('0w')
    scene.ask('1w')
    scene.tick(100)
    expect([scene.codes.length, scene.served.length, scene.ids().length]).toEqual([1, 0, 0])
    scene.view = 'two'
    scene.tick(130)
    expect(scene.served.length).toBe(1)
    expect(scene.ids().length).toBe(1)
  })

  it('are answered with a time-out when their time is over, and then never again', () => {
    const scene = new Scene()
    scene.view = 'one'
    scene.ask('0w', 300)
    scene.ask('1w', 300)
    const [id] = scene.ids()
    scene.tick(299)
    expect(scene.codes).toEqual([])
    scene.tick(300)
    expect(scene.codes).toEqual([timeoutCode, timeoutCode])
    scene.routing.receiveProxied(310, { kind: 'proxied', answers: [{ id: id!, answer: bareAnswer(okCode) }] })
    scene.served[0]!.answer(bareAnswer(okCode))
    expect(scene.codes.length).toBe(2)
    expect(scene.routing.countersOf('test')).toMatchObject({
      client_proxy_timeout: 1,
      client_proxy_complete: 0,
    })
  })

  it('that were refused are tried again, and answered once', () => {
    const scene = new Scene()
    scene.view = 'one'
    scene.ask('1w')
    const [first] = scene.ids()
    scene.routing.receiveProxied(5, { kind: 'proxied', answers: [{ id: first!, answer: undefined }] })
    scene.tick(10)
    expect(scene.ids()).toEqual([])
    scene.tick(30)
    const [second] = scene.ids()
    expect(second).toBeGreaterThan(first!)
    for (let i = 0; i < 2; i++)
      scene.routing.receiveProxied(40, {
        kind: 'proxied',
        answers: [{ id: second!, answer: bareAnswer(okCode) }],
      })
    expect(scene.codes).toEqual([okCode])
    expect(scene.routing.countersOf('test').client_proxy_complete).toBe(1)
  })

  it('that change something are not tried again when their view ends, others are', () => {
    const scene = new Scene()
    scene.view = 'one'
    scene.ask('1w')
    scene.ask('1r')
    expect(scene.ids().length).toBe(2)
    scene.view = 'two'
    scene.tick(50)
    expect(scene.ids().length).toBe(1)
  })

  it('whose master is believed dead are not passed on, and served in the next view', () => {
    const scene = new Scene()
    scene.view = 'one'
    scene.isMasterDead = true
    scene.ask('1w')
    scene.tick(100)
    expect(scene.ids()).toEqual([])
    scene.view = 'two'
    scene.isMasterDead = false
    scene.tick(120)
    expect(scene.ids().length).toBe(1)
    expect(scene.codes).toEqual([])
  })

  it('that nobody waits for any more are not tried again', () => {
    const scene = new Scene()
    scene.view = 'one'
    scene.tick(0)
    scene.view = undefined
    const id = scene.ask('1w')
    scene.routing.cancel(id)
    scene.view = 'two'
    scene.tick(100)
    scene.tick(2000)
    expect([scene.ids(), scene.codes]).toEqual([[], []])
  })

  it('go many in a message, which is bounded', () => {
    const scene = new Scene()
    scene.view = 'one'
    for (let i = 0; i < 600; i++) scene.ask('1w')
    expect(scene.sent).toEqual([])
    scene.routing.flush()
    const sizes = scene.sent.map(({ message }) => (message.kind === 'proxy' ? message.requests.length : 0))
    expect(sizes).toEqual([256, 256, 88])
  })

  it('are bounded in number and bytes: one more is refused with code 18', () => {
    const scene = new Scene()
    scene.view = 'one'
    for (let i = 0; i < 20_000; i++) scene.ask('1w', 500)
    expect(scene.codes).toEqual([])
    scene.ask('1w')
    expect(scene.codes).toEqual([overloadCode])
    scene.tick(500)
    scene.codes.length = 0
    const large = Buffer.alloc(100 * 1024 * 1024)
    large.write('1w')
    for (let i = 0; i < 3; i++) scene.ask(large)
    expect(scene.codes).toEqual([overloadCode])
  })

  it('in which something is thrown end alone, in doubt where they may have changed something', () => {
    const scene = new Scene()
    scene.view = 'one'
    scene.throws = true
    scene.ask('0w')
    scene.ask('0x')
    expect(scene.codes).toEqual([timeoutCode, failedCode])
    expect(scene.faults.length).toBe(2)
    scene.tick(2000)
    expect(scene.codes.length).toBe(2)
  })

  it('from another node are served in the same view alone, and answered together', () => {
    const scene = new Scene()
    scene.view = 'one'
    const message = (view: string, first: number): ProxyMessage => ({
      kind: 'proxy',
      view,
      to: processOf('A1'),
      requests: [0, 1].map((i) => ({
        namespace: 'test',
        id: first + i,
        body: Buffer.from('0w'),
        time: 100,
        isRow: i === 1,
      })),
    })
    scene.routing.receiveProxy(0, processOf('B2'), message('one', 7))
    scene.routing.receiveProxy(0, processOf('B2'), message('one', 7))
    scene.routing.receiveProxy(0, processOf('B2'), message('old', 9))
    expect(scene.served.length).toBe(2)
    for (const { answer } of scene.served) answer(bareAnswer(okCode))
    scene.routing.flush()
    expect(scene.sent.length).toBe(1)
    const [{ to, message: back }] = scene.sent as [{ to: string; message: ProxiedMessage }]
    expect(to).toBe('B2')
    expect(back.answers.map(({ id, answer }) => [id, answer !== undefined])).toEqual([
      [9, false],
      [10, false],
      [7, true],
      [8, true],
    ])
    expect(scene.routing.countersOf('test')).toMatchObject({
      from_proxy_write_success: 0,
      from_proxy_read_success: 1,
      from_proxy_batch_sub_read_success: 1,
    })
  })
})
