/**
 * Brings clients' requests to the copy that may serve them: here, or one hop away (X1 to X3 of README.md). Every
 * request gets exactly one answer, at the latest when its time is over. What goes to one node between two calls of
 * `flush` goes together.
 */
import { ResultCode } from '../values/result-code.ts'
import { bareAnswer, type ClientRequest } from './client-request.ts'
import type { ClusteredNamespace } from './clustered-namespace.ts'
import type { ProxiedAnswer, ProxiedMessage, ProxyMessage, ProxyRequest } from './data-message.ts'
import type { NodeId } from './node-id.ts'
import { type Process, processKey, sameProcess } from './process.ts'
import { countFromProxy, countProxied, newProxyCounters, type ProxyCounters } from './proxy-counters.ts'
import { RecentIds } from './recent-ids.ts'

/** Requests that are open on a node, and bytes of them; one more is refused with code 18. */
const largestOpen = 20_000
const largestOpenBytes = 256 * 1024 * 1024
/** Milliseconds for which a passed-on request is remembered. Connections repeat nothing; a network may. */
const seenFor = 10_000
/** Milliseconds before a refused request is tried again in the same view. */
const retryAfter = 20
/** Requests or answers of one message, and the bytes with which it is full. */
const messageEntries = 256
const messageBytes = 256 * 1024

/** What a client asks of a record. */
export interface RoutedRequest {
  readonly namespace: string
  /** The body of the request's frame, kept until it is answered. */
  readonly body: Buffer
  /** How long the client waits, in milliseconds. */
  readonly time: number
  /** A row of a batch. */
  readonly isRow?: boolean
  /** Called once, with a whole frame. */
  readonly answer: (frame: Buffer) => void
}

interface Open {
  readonly request: ClientRequest
  readonly isRow: boolean
  /** Not to be tried before; `Infinity` while it is under way. */
  due: number
  /** The view in which it was passed on. */
  sentIn: string | undefined
  /** To which process. */
  sentTo: Process | undefined
  /** Ids under which it was passed on. */
  readonly attempts: number[]
}

export interface RoutingOptions {
  readonly self: Process
  readonly namespaces: ReadonlyMap<string, ClusteredNamespace>
  /** Name of the view in which this node serves, if it does. */
  readonly view: () => string | undefined
  /** The process of a member of that view. */
  readonly member: (id: NodeId) => Process | undefined
  /** What is sent to it is lost. */
  readonly isBelievedDead: (process: Process) => boolean
  readonly send: (to: NodeId, message: ProxyMessage | ProxiedMessage) => void
  /** Told of what was thrown while a request was worked on, which ends that request alone. Default: it is thrown on. */
  readonly onFault?: ((error: unknown) => void) | undefined
}

export class RequestRouting {
  readonly #options: RoutingOptions
  readonly #open = new Map<number, Open>()
  #openBytes = 0
  /** The open request that an attempt belongs to. */
  readonly #attempts = new Map<number, number>()
  readonly #seen = new RecentIds(seenFor)
  /** What is to leave, by node. */
  readonly #requests = new Map<NodeId, { view: string; to: Process; requests: ProxyRequest[] }>()
  readonly #answers = new Map<NodeId, ProxiedAnswer[]>()
  readonly #counters = new Map<string, ProxyCounters>()
  /** Before its first view a node refuses what it would hold back later. */
  #hasServed = false
  #nextId = 1
  #now = 0
  /** Requests that went to another node since the start. */
  proxied = 0

  constructor(options: RoutingOptions) {
    this.#options = options
  }

  /** Requests that went to or came from other nodes. */
  countersOf(namespace: string): ProxyCounters {
    let counters = this.#counters.get(namespace)
    if (!counters) this.#counters.set(namespace, (counters = newProxyCounters()))
    return counters
  }

  /** Answers what `cancel` takes; 0 where the request has been answered already. */
  submit(now: number, { namespace, body, time, isRow = false, answer }: RoutedRequest): number {
    this.#now = now
    const refusal = this.#refusalOf(namespace, body)
    const facts = refusal === undefined && this.#options.namespaces.get(namespace)?.store.inspect(body)
    if (!facts) {
      answer(bareAnswer(refusal ?? ResultCode.PARAMETER))
      return 0
    }
    const id = this.#nextId++
    const once = (frame: Buffer) => {
      if (!this.#close(id)) return
      if (open.sentIn !== undefined) countProxied(this.countersOf(namespace), isRow, frame)
      answer(frame)
    }
    const refuse = () => {
      open.due = this.#now + retryAfter
    }
    const request = { namespace, request: body, facts, deadline: now + time, answer: once, refuse }
    const open: Open = { request, isRow, due: now, sentIn: undefined, sentTo: undefined, attempts: [] }
    this.#open.set(id, open)
    this.#openBytes += body.length
    this.#route(id, open)
    return this.#open.has(id) ? id : 0
  }

  /** Nobody waits for the answer any more. What is under way stays so. */
  cancel(id: number): void {
    this.#close(id)
  }

  /** Requests that another node passed on. They are looked at once, however often they come. */
  receiveProxy(now: number, from: Process, { view, to, requests }: ProxyMessage): void {
    this.#now = now
    const [first] = requests
    if (!first || !sameProcess(to, this.#options.self)) return
    const { id } = first
    if (!this.#seen.add(now, `${processKey(from)} ${id}`)) return
    const isCurrent = view === this.#options.view()
    for (const request of requests) this.#serveProxied(now, from.id, request, isCurrent)
  }

  receiveProxied(now: number, { answers }: ProxiedMessage): void {
    this.#now = now
    for (const { id, answer } of answers) {
      const open = this.#open.get(this.#attempts.get(id) ?? 0)
      this.#attempts.delete(id)
      if (!open) continue
      if (answer) open.request.answer(answer)
      else open.due = now + retryAfter
    }
  }

  tick(now: number): void {
    this.#now = now
    this.#hasServed ||= this.#options.view() !== undefined
    for (const [id, open] of this.#open) {
      // Whoever was applied is in doubt, and whoever was not may be told so: clients cannot tell them apart.
      if (now >= open.request.deadline) open.request.answer(bareAnswer(ResultCode.TIMEOUT))
      else if (now >= open.due) this.#route(id, open)
      else if (this.#isOver(open)) this.#afterView(id, open)
    }
  }

  /** Sends what has been collected. */
  flush(): void {
    // Asked for in every turn; an empty map is not cleared for nothing.
    if (this.#requests.size > 0) this.#flushRequests()
    if (this.#answers.size > 0) this.#flushAnswers()
  }

  #flushRequests(): void {
    for (const [id, { view, to, requests }] of this.#requests) {
      for (const some of partsOf(requests, ({ body }) => body.length))
        this.#options.send(id, { kind: 'proxy', view, to, requests: some })
    }
    this.#requests.clear()
  }

  #flushAnswers(): void {
    for (const [id, answers] of this.#answers) {
      for (const some of partsOf(answers, ({ answer }) => answer?.length ?? 0))
        this.#options.send(id, { kind: 'proxied', answers: some })
    }
    this.#answers.clear()
  }

  #refusalOf(namespace: string, body: Buffer): ResultCode | undefined {
    if (!this.#options.namespaces.has(namespace)) return ResultCode.INVALID_NAMESPACE
    this.#hasServed ||= this.#options.view() !== undefined
    if (!this.#hasServed) return ResultCode.PARTITION_UNAVAILABLE
    const isFull = this.#open.size >= largestOpen || this.#openBytes + body.length > largestOpenBytes
    return isFull ? ResultCode.DEVICE_OVERLOAD : undefined
  }

  /** False when it is closed already. */
  #close(id: number): boolean {
    const open = this.#open.get(id)
    if (!open) return false
    this.#open.delete(id)
    this.#openBytes -= open.request.request.length
    for (const attempt of open.attempts) this.#attempts.delete(attempt)
    return true
  }

  #serveProxied(now: number, from: NodeId, request: ProxyRequest, isCurrent: boolean): void {
    const { id, namespace, body, time, isRow } = request
    const refuse = () => this.#reply(from, { id, answer: undefined })
    const target = this.#options.namespaces.get(namespace)
    const facts = target?.store.inspect(body)
    const mastership = facts && target?.masterOf(facts.partition)
    if (!mastership || !isCurrent) return refuse()
    const answer = (frame: Buffer) => {
      countFromProxy(this.countersOf(namespace), isRow, body, frame)
      this.#reply(from, { id, answer: frame })
    }
    const deadline = now + time
    this.#contain({ namespace, request: body, facts, deadline, answer, refuse }, (each) =>
      mastership.serve(now, each),
    )
  }

  #contain(request: ClientRequest, work: (request: ClientRequest) => void): void {
    const { onFault } = this.#options
    if (!onFault) return work(request)
    try {
      work(request)
    } catch (error) {
      onFault(error)
      // What it may have done is in doubt.
      request.answer(bareAnswer(request.facts.writes ? ResultCode.TIMEOUT : ResultCode.SERVER_ERROR))
    }
  }

  #reply(to: NodeId, answer: ProxiedAnswer): void {
    const answers = this.#answers.get(to)
    if (answers) answers.push(answer)
    else this.#answers.set(to, [answer])
  }

  /** It was passed on in a view that is no more. */
  #isOver({ sentIn }: Open): boolean {
    const view = this.#options.view()
    return sentIn !== undefined && view !== undefined && view !== sentIn
  }

  /**
   * A read may be tried again whatever became of it. A write whose master has left is in doubt: its answer will never
   * come, and whoever waits for it on the same connection waits for nothing.
   */
  #afterView(id: number, open: Open): void {
    const { request, sentTo } = open
    if (!request.facts.writes) return this.#route(id, open)
    const member = sentTo && this.#options.member(sentTo.id)
    if (!member || !sameProcess(member, sentTo)) request.answer(bareAnswer(ResultCode.TIMEOUT))
  }

  #route(id: number, open: Open): void {
    const { self, namespaces, view } = this.#options
    const { request } = open
    const { namespace, facts, request: body } = request
    const target = namespaces.get(namespace)!
    const serving = view()
    const place = target.place(facts.partition)
    if (serving === undefined || !place) {
      open.due = this.#now + retryAfter
      return
    }
    open.due = Infinity
    open.sentIn = undefined
    const mastership = target.masterOf(facts.partition)
    if (mastership) return this.#contain(request, (each) => mastership.serve(this.#now, each))
    if (facts.anyReplica && place.replicas.includes(self.id) && target.answersReads(facts.partition)) {
      return this.#contain(request, (each) => each.answer(target.store.execute(body).answer))
    }
    const master = this.#options.member(place.master)
    if (!master) throw new Error(`master ${place.master} is no member of ${serving}`)
    // Passed on to nobody it would be in doubt; here it waits for the next view.
    if (this.#options.isBelievedDead(master)) open.due = this.#now + retryAfter
    else this.#passOn(id, open, serving, master)
  }

  #passOn(id: number, open: Open, view: string, to: Process): void {
    const master = to.id
    this.proxied++
    open.sentIn = view
    open.sentTo = to
    const { request, isRow, attempts } = open
    const attempt = this.#nextId++
    this.#attempts.set(attempt, id)
    attempts.push(attempt)
    const queued = this.#requests.get(master)
    if (queued && queued.view !== view) this.flush()
    const time = request.deadline - this.#now
    const entry = { namespace: request.namespace, id: attempt, body: request.request, time, isRow }
    const known = this.#requests.get(master)
    if (known) known.requests.push(entry)
    else this.#requests.set(master, { view, to, requests: [entry] })
  }
}

/** Cuts a list into messages. */
function* partsOf<T>(entries: readonly T[], weigh: (entry: T) => number): Generator<readonly T[]> {
  let from = 0
  let bytes = 0
  for (const [at, entry] of entries.entries()) {
    bytes += weigh(entry)
    if (bytes < messageBytes && at + 1 - from < messageEntries) continue
    yield entries.slice(from, at + 1)
    from = at + 1
    bytes = 0
  }
  if (from < entries.length) yield entries.slice(from)
}
