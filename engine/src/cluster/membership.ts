/**
 * When to propose a view, and whom: the node that leads its part of the graph of links proposes that part whenever it
 * differs from the view its members act in. One round at a time; a round that drags on is settled with those who
 * promised, the others are invited again when they are quick or after a growing wait; a leader whom nobody answers
 * stands down for a growing time. All other waits are bounded by the heartbeat time-out, so that a quiet network settles
 * within three of them.
 */
import { cliques } from './clique.ts'
import { linked, Links, type Heartbeat } from './links.ts'
import type { NodeId } from './node-id.ts'
import { sameProcess, type Process } from './process.ts'
import { SlowMembers } from './slow-members.ts'
import { compareViewIds, noView, sameView, type ViewId } from './view-id.ts'
import { Views, type ViewMessage, type ViewRecord, type ViewsOptions } from './views.ts'

export type MembershipMessage<Report, Input> =
  /** `time`: what the sender's clock shows, ms since 1970. */
  | { readonly kind: 'heartbeat'; readonly heartbeat: Heartbeat; readonly time?: number }
  | { readonly kind: 'view'; readonly toStart: string; readonly message: ViewMessage<Report, Input> }

export type MembershipOutput<Report, Input> =
  | { readonly kind: 'send'; readonly to: NodeId; readonly message: MembershipMessage<Report, Input> }
  | { readonly kind: 'store'; readonly promised: ViewId }
  | { readonly kind: 'enter'; readonly record: ViewRecord<Input> }

export interface MembershipOptions<Report, Input> extends ViewsOptions<Report, Input> {
  readonly cluster: string
  /** Nodes to beat to before any is known. */
  readonly seeds: readonly NodeId[]
  /** Milliseconds between beats. */
  readonly interval: number
  /** Milliseconds of silence after which a node counts as gone; at least four intervals. */
  readonly timeout: number
  /** From 0 to below 1. */
  readonly random: () => number
}

/** Same-member views that were asked for begin at least this many milliseconds apart. */
const renewalSpacing = 1000

export class Membership<Report, Input> {
  readonly #options: MembershipOptions<Report, Input>
  readonly #links: Links
  readonly #views: Views<Report, Input>
  readonly #addresses: Set<NodeId>
  readonly #slow: SlowMembers
  #startedAt: number | undefined
  #tickedAt: number | undefined
  #nextBeat = -Infinity
  #roundEnds = Infinity
  #nextRound = -Infinity
  #nextLook = -Infinity
  /** What the links of that shape make this node lead. */
  #led = { shape: -1, stoodDown: false, members: [] as readonly Process[] }
  #target: readonly Process[] = []
  #targetSince = -Infinity
  #enteredAt = -Infinity
  #stoodDownUntil = -Infinity
  #standDownWait: number
  #renewal = false
  #outputs: MembershipOutput<Report, Input>[] = []

  constructor(options: MembershipOptions<Report, Input>) {
    if (options.timeout < 4 * options.interval) {
      throw new Error(
        `time-out ${options.timeout} ms must be at least four intervals of ${options.interval} ms`,
      )
    }
    this.#options = options
    this.#links = new Links(options.self, options.cluster, options.timeout)
    this.#views = new Views(options)
    this.#slow = new SlowMembers(options.timeout)
    this.#addresses = new Set(options.seeds)
    this.#standDownWait = this.#roundTime
  }

  get active(): ViewRecord<Input> | undefined {
    return this.#views.active
  }

  get promised(): ViewId {
    return this.#views.promised
  }

  /** Milliseconds that a round may take before it is settled with those who promised. */
  get #roundTime(): number {
    return this.#options.timeout / 4
  }

  /** To be called at every interval at least; how often beyond that changes nothing. */
  tick(now: number): MembershipOutput<Report, Input>[] {
    this.#startedAt ??= now
    const gap = now - (this.#tickedAt ?? now)
    if (gap > this.#roundTime) this.#stoodStill(gap)
    this.#tickedAt = now
    if (now >= this.#nextBeat) {
      this.#nextBeat = now + this.#options.interval
      this.#sendBeats(now)
      this.#views.repeat()
      this.#repeatCommits(now)
      this.#trySlow(now)
    }
    if (this.#views.round && now >= this.#roundEnds) this.#settle(now)
    if (!this.#views.round && now >= this.#nextLook) {
      this.#nextLook = now + this.#options.interval / 4
      this.#considerRound(now)
    }
    return this.#take(now)
  }

  receive(
    now: number,
    from: Process,
    message: MembershipMessage<Report, Input>,
  ): MembershipOutput<Report, Input>[] {
    if (message.kind === 'heartbeat') {
      this.#links.hear(now, from, message.heartbeat)
      for (const row of message.heartbeat.rows) this.#addresses.add(row.process.id)
    } else if (message.toStart === this.#options.self.start) {
      const { message: said } = message
      if (said.kind === 'tried') this.#slow.answered(now, from, said.number)
      else this.#views.receive(from, said)
    }
    return this.#take(now)
  }

  stored(now: number, promised: ViewId): MembershipOutput<Report, Input>[] {
    this.#views.stored(promised)
    return this.#take(now)
  }

  /** The node can be reached: beat to it. */
  meet(id: NodeId): void {
    this.#addresses.add(id)
  }

  /** A connection to the node closed and its reconnect was refused. */
  refused(id: NodeId): void {
    this.#links.refused(id)
  }

  /** Whether nothing need be sent to the process: a view without it is to come. */
  isBelievedDead(process: Process): boolean {
    return this.#links.isBelievedDead(process)
  }

  /** Asks for a new view of the same members, if this node leads them: fills have ended, a roster was set. */
  renew(): void {
    this.#renewal = true
  }

  #sendBeats(now: number): void {
    const { self } = this.#options
    const heartbeat = this.#links.beat(now, this.#ownState(now))
    for (const to of this.#addresses) {
      if (to !== self.id) this.#outputs.push({ kind: 'send', to, message: { kind: 'heartbeat', heartbeat } })
    }
  }

  #ownState(now: number): { view: ViewId; promised: ViewId; stoodDown: boolean } {
    return {
      view: this.#views.active?.id ?? noView,
      promised: this.#views.promised,
      stoodDown: now < this.#stoodDownUntil,
    }
  }

  #repeatCommits(now: number): void {
    const record = this.#views.active
    if (!record || record.id.leader !== this.#options.self.id) return
    const alive = this.#links.alive(now)
    for (const member of record.members) {
      const row = alive.get(member.id)
      if (row && sameProcess(row.process, member) && !sameView(row.view, record.id)) {
        this.#views.repeatCommit(member)
      }
    }
  }

  /** Asks those who were too slow for a view whether they are quick again. */
  #trySlow(now: number): void {
    const alive = this.#links.alive(now)
    const isAlive = (process: Process) => {
      const row = alive.get(process.id)
      return row !== undefined && sameProcess(row.process, process)
    }
    for (const { to, number } of this.#slow.due(now, isAlive)) {
      const message = { kind: 'try', number } as const
      this.#outputs.push({ kind: 'send', to: to.id, message: { kind: 'view', toStart: to.start, message } })
    }
  }

  #settle(now: number): void {
    for (const member of this.#views.round?.missing ?? []) {
      if (!sameProcess(member, this.#options.self)) this.#slow.missed(now, member)
    }
    if (this.#views.settle()) return
    this.#stoodDownUntil = now + this.#standDownWait
    this.#standDownWait = Math.min(2 * this.#standDownWait, this.#options.timeout)
  }

  #considerRound(now: number): void {
    const members = this.#part(now)
    const target = this.#target
    if (members.length !== target.length || !members.every((one, at) => sameProcess(one, target[at]!))) {
      this.#target = members
      this.#targetSince = now
    }
    const own = this.#views.active
    if (own && this.#renewsOwn(now, own)) return this.#begin(now, own.members)
    // Two intervals: that neighbours see the change too. A little chance keeps rivals from meeting again and again.
    const settled = now - this.#targetSince >= this.#settlingTime(now, members)
    if (members.length === 0 || !settled || now < this.#nextRound || !this.#needsRound(now, members)) return
    if (members.length === 1 && !this.#mayBeAlone(now)) return
    this.#begin(now, members)
  }

  #begin(now: number, members: readonly Process[]): void {
    this.#renewal = false
    this.#nextRound = now + this.#roundTime * (1 + this.#options.random() / 2)
    this.#roundEnds = now + this.#roundTime
    this.#views.propose(members)
  }

  /** Whoever is alive is left out only after a while: it may be a dead node's last word that stands between us. */
  #settlingTime(now: number, members: readonly Process[]): number {
    const { interval, timeout } = this.#options
    // Its row may have come by way of others, and then lives on for a time-out after that.
    if (members.length <= this.#links.alive(now).size) return timeout + 3 * interval
    return this.#leavesOutTheDead(members) ? interval / 2 : 2 * interval
  }

  /** Only processes whose ports are closed are missing from the view, and nobody is new: everybody sees it so by now. */
  #leavesOutTheDead(members: readonly Process[]): boolean {
    const before = this.#views.active?.members ?? []
    const isIn = (list: readonly Process[], one: Process) => list.some((other) => sameProcess(one, other))
    if (!members.every((member) => isIn(before, member))) return false
    return before.every((member) => isIn(members, member) || this.#links.isBelievedDead(member))
  }

  /** Nobody could be heard meanwhile, so no wait for others has gone on. */
  #stoodStill(time: number): void {
    this.#links.stoodStill(time)
    this.#targetSince += time
    if (this.#startedAt !== undefined) this.#startedAt += time
  }

  /** The leader of a view renews it, although another may lead these members now. */
  #renewsOwn(now: number, { id }: ViewRecord<Input>): boolean {
    if (!this.#renewal || id.leader !== this.#options.self.id || now < this.#nextRound) return false
    return now - this.#enteredAt >= renewalSpacing
  }

  /** Not before others, if there are any, have had the time to be heard. */
  #mayBeAlone(now: number): boolean {
    const { seeds, self, timeout, interval } = this.#options
    return seeds.every((seed) => seed === self.id) || now - (this.#startedAt ?? now) >= timeout + 3 * interval
  }

  /** The processes this node should lead, itself first; none when another leads its part. */
  #part(now: number): readonly Process[] {
    const shape = this.#links.shape(now)
    const { stoodDown } = this.#ownState(now)
    if (shape !== this.#led.shape || stoodDown !== this.#led.stoodDown)
      this.#led = { shape, stoodDown, members: this.#ledByItself(now, stoodDown) }
    return this.#led.members.filter((process) => this.#slow.mayInvite(now, process))
  }

  #ledByItself(now: number, stoodDown: boolean): readonly Process[] {
    const { self } = this.#options
    const rows = this.#links.alive(now)
    const isLinked = (a: NodeId, b: NodeId) => {
      const [first, second] = [rows.get(a), rows.get(b)]
      if (a === self.id) return second !== undefined && this.#links.linkedWithSelf(now, second)
      if (b === self.id) return first !== undefined && this.#links.linkedWithSelf(now, first)
      return first !== undefined && second !== undefined && linked(first, second)
    }
    const nodes = [self.id, ...[...rows.keys()].filter((id) => id !== self.id)]
    const parts = cliques(nodes, isLinked, (id) => (id === self.id ? stoodDown : rows.get(id)!.stoodDown))
    const mine = parts.find((part) => part.members.includes(self.id))
    if (!mine || mine.leader !== self.id) return []
    return mine.members.map((id) => (id === self.id ? self : rows.get(id)!.process))
  }

  #needsRound(now: number, members: readonly Process[]): boolean {
    const record = this.#views.active
    if (!record || record.members.length !== members.length) return true
    if (!members.every((member) => record.members.some((other) => sameProcess(member, other)))) return true
    const age = now - this.#enteredAt
    const alive = this.#links.alive(now)
    return members.some((member) => {
      const row = alive.get(member.id)
      if (!row) return false
      const rival = compareViewIds(row.promised, record.id) > 0
      // It is told again and again; a view more would only make it begin anew.
      return rival || (age > this.#options.timeout && !sameView(row.view, record.id))
    })
  }

  #take(now: number): MembershipOutput<Report, Input>[] {
    for (const output of this.#views.take()) {
      if (output.kind === 'send') {
        const message = { kind: 'view', toStart: output.to.start, message: output.message } as const
        this.#outputs.push({ kind: 'send', to: output.to.id, message })
      } else {
        if (output.kind === 'enter') this.#entered(now, output.record)
        this.#outputs.push(output)
      }
    }
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  #entered(now: number, record: ViewRecord<Input>): void {
    this.#enteredAt = now
    this.#renewal = false
    if (record.id.leader !== this.#options.self.id) return
    this.#standDownWait = this.#roundTime
    for (const member of record.members) this.#slow.made(member)
  }
}
