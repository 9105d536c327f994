/**
 * Brings clients' requests to the copy that may serve them: here, or one hop away (X1 to X3 of README.md). Every
 * request gets exactly one answer, at the latest when its time is over.
 */
import { ResultCode } from '../values/result-code.ts'
import { bareAnswer, type ClientRequest } from './client-request.ts'
import type { ClusteredNamespace } from './clustered-namespace.ts'
import type { ProxiedMessage, ProxyMessage } from './data-message.ts'
import type { NodeId } from './node-id.ts'
import { type Process, processKey, sameProcess } from './process.ts'
import { RecentIds } from './recent-ids.ts'

/** Requests that are open on a node; one more is refused with code 18. */
const largestOpen = 20_000
/** Milliseconds for which a passed-on request is remembered. Connections repeat nothing; a network may. */
const seenFor = 10_000
/** Milliseconds before a refused request is tried again in the same view. */
const retryAfter = 20

interface Open {
  readonly request: ClientRequest
  /** Not to be tried before; `Infinity` while it is under way. */
  due: number
  /** The view in which it was passed on. */
  sentIn: string | undefined
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
  readonly send: (to: NodeId, message: ProxyMessage | ProxiedMessage) => void
}

export class RequestRouting {
  readonly #options: RoutingOptions
  readonly #open = new Map<number, Open>()
  /** The open request that an attempt belongs to. */
  readonly #attempts = new Map<number, number>()
  readonly #seen = new RecentIds(seenFor)
  #nextId = 1
  #now = 0
  /** Requests that went to another node since the start. */
  proxied = 0

  constructor(options: RoutingOptions) {
    this.#options = options
  }

  /** Takes the body of a request's frame; `time` is how long the client waits, in milliseconds. */
  submit(now: number, namespace: string, body: Buffer, time: number, answer: (frame: Buffer) => void): void {
    this.#now = now
    const target = this.#options.namespaces.get(namespace)
    if (!target) return answer(bareAnswer(ResultCode.INVALID_NAMESPACE))
    const facts = target.store.inspect(body)
    if (!facts) return answer(bareAnswer(ResultCode.PARAMETER))
    if (this.#open.size >= largestOpen) return answer(bareAnswer(ResultCode.DEVICE_OVERLOAD))
    const id = this.#nextId++
    const once = (frame: Buffer) => {
      if (!this.#open.delete(id)) return
      for (const attempt of open.attempts) this.#attempts.delete(attempt)
      answer(frame)
    }
    const refuse = () => {
      open.due = this.#now + retryAfter
    }
    const request = { namespace, request: body, facts, deadline: now + time, answer: once, refuse }
    const open: Open = { request, due: now, sentIn: undefined, attempts: [] }
    this.#open.set(id, open)
    this.#route(id, open)
  }

  /** A request that another node passed on. It is looked at once, however often it comes. */
  receiveProxy(now: number, from: Process, message: ProxyMessage): void {
    const { id, view, to, namespace, request: body, time } = message
    if (!sameProcess(to, this.#options.self)) return
    if (!this.#seen.add(now, `${processKey(from)} ${id}`)) return
    const reply = (answer: Buffer | undefined) => this.#options.send(from.id, { kind: 'proxied', id, answer })
    const target = this.#options.namespaces.get(namespace)
    const facts = target?.store.inspect(body)
    const mastership = facts && target?.masterOf(facts.partition)
    if (!mastership || view !== this.#options.view()) return reply(undefined)
    mastership.serve(now, {
      namespace,
      request: body,
      facts,
      deadline: now + time,
      answer: reply,
      refuse: () => reply(undefined),
    })
  }

  receiveProxied(now: number, { id, answer }: ProxiedMessage): void {
    const open = this.#open.get(this.#attempts.get(id) ?? 0)
    this.#attempts.delete(id)
    if (!open) return
    if (answer) open.request.answer(answer)
    else open.due = now + retryAfter
  }

  tick(now: number): void {
    this.#now = now
    for (const [id, open] of this.#open) {
      // Whoever was applied is in doubt, and whoever was not may be told so: clients cannot tell them apart.
      if (now >= open.request.deadline) open.request.answer(bareAnswer(ResultCode.TIMEOUT))
      else if (now >= open.due || this.#isLost(open)) this.#route(id, open)
    }
  }

  /** A read may be tried again whatever became of it. */
  #isLost({ request, sentIn }: Open): boolean {
    const view = this.#options.view()
    return !request.facts.writes && sentIn !== undefined && view !== undefined && view !== sentIn
  }

  #route(id: number, open: Open): void {
    const { self, namespaces, view, member, send } = this.#options
    const { request } = open
    const { namespace, facts, request: body, deadline } = request
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
    if (mastership) return mastership.serve(this.#now, request)
    if (facts.anyReplica && place.replicas.includes(self.id) && target.answersReads(facts.partition)) {
      return request.answer(target.store.execute(body).answer)
    }
    this.proxied++
    open.sentIn = serving
    const time = deadline - this.#now
    const to = member(place.master)
    if (!to) throw new Error(`master ${place.master} is no member of ${serving}`)
    const attempt = this.#nextId++
    this.#attempts.set(attempt, id)
    open.attempts.push(attempt)
    send(to.id, { kind: 'proxy', view: serving, to, namespace, id: attempt, request: body, time })
  }
}
