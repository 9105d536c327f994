/**
 * Agrees on views in two phases, as in Viewstamped Replication's view change with the leader chosen outside: a leader
 * asks processes to promise a view id higher than any they promised, and when they have, commits one record. A node
 * acts in a view only while that view is its newest promise, so two views that share a member never both act.
 * Safety needs no clock and no particular leader; `Membership` decides when to propose. Rules V1, V2, V3.
 */
import { processKey, sameProcess, type Process } from './process.ts'
import { compareViewIds, sameView, viewKey, type ViewId } from './view-id.ts'

export interface ViewRecord<Input> {
  readonly id: ViewId
  readonly members: readonly Process[]
  /** Every input of the partition maps (rule V4). */
  readonly input: Input
}

export type ViewMessage<Report, Input> =
  | { readonly kind: 'propose'; readonly view: ViewId; readonly members: readonly Process[] }
  | { readonly kind: 'promise'; readonly view: ViewId; readonly report: Report }
  | { readonly kind: 'refuse'; readonly view: ViewId; readonly promised: ViewId }
  | { readonly kind: 'commit'; readonly record: ViewRecord<Input> }
  /** Asks how long it takes to bring a promise to disk, without a new one. */
  | { readonly kind: 'try'; readonly number: number }
  | { readonly kind: 'tried'; readonly number: number }

export type ViewOutput<Report, Input> =
  | { readonly kind: 'send'; readonly to: Process; readonly message: ViewMessage<Report, Input> }
  /** To be answered by `stored` once it is on disk, in the order in which they came. */
  | { readonly kind: 'store'; readonly promised: ViewId }
  | { readonly kind: 'enter'; readonly record: ViewRecord<Input> }

export interface ViewsOptions<Report, Input> {
  readonly self: Process
  /** The newest promise on disk. */
  readonly promised: ViewId
  /** What this node holds; asked when a promise is about to leave, when nothing of an older view changes any more. */
  readonly report: () => Report
  /** What the record shall carry, from the reports of its members. */
  readonly decide: (members: readonly Process[], reports: ReadonlyMap<string, Report>) => Input
}

interface Round<Report> {
  readonly view: ViewId
  readonly members: readonly Process[]
  readonly promises: Map<string, Report>
}

export class Views<Report, Input> {
  readonly #options: ViewsOptions<Report, Input>
  #promised: ViewId
  #stored: ViewId
  /** The proposal that the newest promise answers; absent when that promise was made by an earlier start. */
  #proposer: Process | undefined
  #highestSeen: number
  #round: Round<Report> | undefined
  #record: ViewRecord<Input> | undefined
  /** Saves that were asked for, those that have ended, and the one that ends what is tried. */
  readonly #saves = { asked: 0, ended: 0, tried: 0 }
  /** By process: who wants to know how long a save takes, and the number of its newest question. */
  readonly #trials = new Map<string, { readonly to: Process; readonly number: number }>()
  #outputs: ViewOutput<Report, Input>[] = []

  constructor(options: ViewsOptions<Report, Input>) {
    this.#options = options
    this.#promised = options.promised
    this.#stored = options.promised
    this.#highestSeen = options.promised.number
  }

  get promised(): ViewId {
    return this.#promised
  }

  /** The view this node may act in; none from its next promise on. */
  get active(): ViewRecord<Input> | undefined {
    return this.#record && sameView(this.#record.id, this.#promised) ? this.#record : undefined
  }

  /** The view of the round that this node leads, and who has not promised yet. */
  get round(): { readonly view: ViewId; readonly missing: readonly Process[] } | undefined {
    const round = this.#round
    if (!round) return undefined
    return {
      view: round.view,
      missing: round.members.filter((member) => !round.promises.has(processKey(member))),
    }
  }

  take(): ViewOutput<Report, Input>[] {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  /** Begins a round with these members, of which this node must be one. */
  propose(members: readonly Process[]): void {
    const { self } = this.#options
    if (!members.some((member) => sameProcess(member, self))) throw new Error('a leader leads itself')
    const view: ViewId = {
      number: Math.max(this.#highestSeen, this.#promised.number) + 1,
      leader: self.id,
      incarnation: self.incarnation,
    }
    this.#promise(view, self)
    this.#round = { view, members, promises: new Map() }
  }

  /** Says the proposal again to those who have not answered. */
  repeat(): void {
    const round = this.#round
    if (!round || !sameView(this.#stored, round.view)) return
    for (const to of this.round?.missing ?? []) this.#sendProposal(round, to)
  }

  /** Sends the record again to a member that has not entered the view yet. */
  repeatCommit(to: Process): void {
    const record = this.active
    if (record && record.id.leader === this.#options.self.id) this.#send(to, { kind: 'commit', record })
  }

  /** Ends the round with those who promised. False, and no view, when that is the leader alone of several. */
  settle(): boolean {
    const round = this.#round
    if (!round) return false
    const members = round.members.filter((member) => round.promises.has(processKey(member)))
    if (members.length < Math.min(2, round.members.length)) {
      this.#round = undefined
      return false
    }
    this.#commit(round, members)
    return true
  }

  /** The promise is on disk. */
  stored(promised: ViewId): void {
    this.#endTrials()
    // A trial saves what is there already.
    if (sameView(promised, this.#stored)) return
    if (compareViewIds(promised, this.#stored) > 0) this.#stored = promised
    if (!sameView(promised, this.#promised)) return
    const round = this.#round
    if (round && sameView(round.view, promised)) {
      round.promises.set(processKey(this.#options.self), this.#options.report())
      for (const member of round.members) {
        if (!sameProcess(member, this.#options.self)) this.#sendProposal(round, member)
      }
      this.#commitWhenComplete(round)
    } else if (this.#proposer) {
      this.#sendPromise(this.#proposer)
    }
  }

  /** A message from another process, meant for this start (the envelope was checked). */
  receive(from: Process, message: ViewMessage<Report, Input>): void {
    switch (message.kind) {
      case 'propose':
        return this.#receiveProposal(from, message.view, message.members)
      case 'promise':
        return this.#receivePromise(from, message.view, message.report)
      case 'refuse':
        this.#highestSeen = Math.max(this.#highestSeen, message.promised.number)
        if (this.#round && sameView(this.#round.view, message.view)) this.#round = undefined
        return
      case 'commit':
        return this.#receiveCommit(from, message.record)
      case 'try':
        return this.#try(from, message.number)
      case 'tried':
        return
    }
  }

  #receiveProposal(from: Process, view: ViewId, members: readonly Process[]): void {
    const { self } = this.#options
    this.#highestSeen = Math.max(this.#highestSeen, view.number)
    if (view.leader !== from.id || view.incarnation !== from.incarnation) return
    if (!members.some((member) => sameProcess(member, self))) return
    if (sameView(view, this.#promised)) {
      const mine = this.#proposer !== undefined && sameProcess(this.#proposer, from)
      if (mine && sameView(this.#stored, view)) this.#sendPromise(from)
      return
    }
    if (view.number <= this.#promised.number) {
      this.#send(from, { kind: 'refuse', view, promised: this.#promised })
      return
    }
    this.#promise(view, from)
  }

  #receivePromise(from: Process, view: ViewId, report: Report): void {
    const round = this.#round
    if (!round || !sameView(round.view, view)) return
    if (!round.members.some((member) => sameProcess(member, from))) return
    round.promises.set(processKey(from), report)
    this.#commitWhenComplete(round)
  }

  #receiveCommit(from: Process, record: ViewRecord<Input>): void {
    if (!sameView(record.id, this.#promised) || !sameView(record.id, this.#stored)) return
    if (!this.#proposer || !sameProcess(this.#proposer, from)) return
    this.#enter(record)
  }

  #promise(view: ViewId, proposer: Process): void {
    this.#promised = view
    this.#proposer = proposer
    this.#highestSeen = Math.max(this.#highestSeen, view.number)
    this.#round = undefined
    this.#saves.asked++
    this.#outputs.push({ kind: 'store', promised: view })
  }

  /** One save at a time answers all that are tried. */
  #try(from: Process, number: number): void {
    if (this.#trials.size === 0) {
      this.#saves.tried = ++this.#saves.asked
      this.#outputs.push({ kind: 'store', promised: this.#promised })
    }
    this.#trials.set(processKey(from), { to: from, number })
  }

  #endTrials(): void {
    this.#saves.ended++
    if (this.#saves.ended < this.#saves.tried) return
    for (const { to, number } of this.#trials.values()) this.#send(to, { kind: 'tried', number })
    this.#trials.clear()
  }

  #commitWhenComplete(round: Round<Report>): void {
    if (round.promises.size === round.members.length) this.#commit(round, round.members)
  }

  #commit(round: Round<Report>, members: readonly Process[]): void {
    this.#round = undefined
    const record = { id: round.view, members, input: this.#options.decide(members, round.promises) }
    for (const member of members) {
      if (!sameProcess(member, this.#options.self)) this.#send(member, { kind: 'commit', record })
    }
    this.#enter(record)
  }

  #enter(record: ViewRecord<Input>): void {
    if (this.#record && sameView(this.#record.id, record.id)) return
    if (!sameView(record.id, this.#stored)) throw new Error(`entered ${viewKey(record.id)} without a promise`)
    this.#record = record
    this.#outputs.push({ kind: 'enter', record })
  }

  #sendProposal(round: Round<Report>, to: Process): void {
    this.#send(to, { kind: 'propose', view: round.view, members: round.members })
  }

  #sendPromise(to: Process): void {
    this.#send(to, { kind: 'promise', view: this.#promised, report: this.#options.report() })
  }

  #send(to: Process, message: ViewMessage<Report, Input>): void {
    this.#outputs.push({ kind: 'send', to, message })
  }
}
