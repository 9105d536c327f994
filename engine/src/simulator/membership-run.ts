/**
 * A cluster that does nothing but agree on its views, through a storm of faults and then a quiet time in which it must
 * settle (M6). The network may stay split while it settles.
 */
import { sameView } from '../cluster/view-id.ts'
import { Clock } from './clock.ts'
import { MembershipNode, timeout, type Parcel } from './membership-node.ts'
import { MembershipWitness } from './membership-witness.ts'
import { Network, splitShapes, type SplitShape } from './network.ts'
import { Random } from './random.ts'
import type { RunResult } from './run-result.ts'
import { slowestNetwork, Storm } from './storm.ts'
import { Tally } from './tally.ts'
import { Transcript } from './transcript.ts'

/** Milliseconds of faults. */
const stormTime = 15_000

export interface MembershipRunOptions {
  readonly seed: number
  /** Checks that the settled views have not changed after this many time-outs more. */
  readonly calmTimeouts?: number
  /** The state of the network after the storm; by chance when absent. */
  readonly ending?: SplitShape | 'healed'
}

/** @example runMembership({ seed: 7 }).violations // [] */
export function runMembership(options: MembershipRunOptions): RunResult {
  const { seed, calmTimeouts = 6 } = options
  const run = new MembershipRun(seed)
  run.storm(stormTime)
  run.calm(options.ending)
  run.wait(3 * timeout)
  const settled = run.checkSettled()
  run.wait(calmTimeouts * timeout)
  if (run.checkSettled() !== settled) run.violate('M6: views changed in a quiet network')
  return run.result(seed)
}

class MembershipRun {
  readonly #clock = new Clock()
  readonly #transcript = new Transcript()
  readonly #witness = new MembershipWitness()
  readonly #random: Random
  readonly #network: Network<Parcel>
  readonly #nodes: MembershipNode[]
  readonly #tally = new Tally()
  readonly #storm: Storm<MembershipNode>

  constructor(seed: number) {
    this.#random = new Random(seed)
    const byId = new Map<string, MembershipNode>()
    const deliver = (_from: string, to: string, parcel: Parcel) => byId.get(to)!.receive(parcel)
    this.#network = new Network(this.#clock, this.#random, deliver, this.#tally)
    const ids = Array.from({ length: 3 + this.#random.below(5) }, (_, i) => `A${i + 1}`)
    const world = {
      clock: this.#clock,
      random: this.#random,
      network: this.#network,
      witness: this.#witness,
      ids,
      say: (node: string, text: string) => this.#say(node, text),
    }
    this.#nodes = ids.map((id) => new MembershipNode(id, world))
    for (const node of this.#nodes) {
      byId.set(node.id, node)
      this.#clock.after(this.#random.between(0, 500), () => node.start())
    }
    this.#storm = new Storm({
      clock: this.#clock,
      random: this.#random,
      network: this.#network,
      tally: this.#tally,
      nodes: this.#nodes,
      say: (node, text) => this.#say(node, text),
      own: { renew: (node) => node.renew() },
    })
  }

  storm(time: number): void {
    const end = this.#clock.now + time
    while (this.#clock.now < end) {
      this.wait(this.#random.pick([20, 100, 400, 1500]) * this.#random.fraction())
      this.#storm.strike()
      for (const node of this.#nodes) node.probe()
    }
  }

  /** Ends all faults; the network stays in one shape from now on. */
  calm(ending: SplitShape | 'healed' = this.#random.pick(['healed', ...splitShapes] as const)): void {
    this.#storm.calm()
    if (ending !== 'healed') {
      this.#network.split(
        ending,
        this.#nodes.map((node) => node.id),
      )
    }
    // Slow writes and late messages that are under way are the last of the faults.
    const late = Math.max(slowestNetwork.delay, ...this.#nodes.map((node) => node.diskFree - this.#clock.now))
    this.wait(late)
    this.#say('--', `calm, ${ending}`)
  }

  wait(time: number): void {
    this.#clock.runUntil(this.#clock.now + time)
  }

  violate(text: string): void {
    this.#witness.violations.push(text)
  }

  /** Checks M6; answers the views as a text. */
  checkSettled(): string {
    const linked = (a: MembershipNode, b: MembershipNode) =>
      this.#network.reaches(a.id, b.id) && this.#network.reaches(b.id, a.id)
    const viewOf = (node: MembershipNode) => node.machine?.active
    const around = (node: MembershipNode) =>
      this.#nodes.filter((other) => other === node || linked(node, other)).map((other) => other.id)
    for (const node of this.#nodes) {
      const view = viewOf(node)
      if (!view) this.violate(`M6: ${node.id} is in no view at ${this.#clock.now}`)
      for (const other of this.#nodes) {
        const mates = other !== node && around(node).join() === around(other).join()
        const otherView = viewOf(other)
        if (mates && view && otherView && !sameView(view.id, otherView.id)) {
          this.violate(`M6: ${node.id} and ${other.id} see the same nodes but are in different views`)
        }
      }
      for (const member of view?.members ?? []) {
        if (!around(node).includes(member.id)) this.violate(`M5: ${node.id} is in a view with ${member.id}`)
        const mate = this.#nodes.find((other) => other.id === member.id)
        const mateView = mate && viewOf(mate)
        if (view && (!mateView || !sameView(mateView.id, view.id))) {
          this.violate(`M6: ${member.id} is not in the view that ${node.id} shares with it`)
        }
      }
    }
    return this.#nodes.map((node) => viewOf(node)?.id.number).join(' ')
  }

  result(seed: number): RunResult {
    const { views, promises, acknowledgements, violations } = this.#witness
    return {
      seed,
      violations,
      checksum: this.#transcript.checksum,
      counts: {
        nodes: this.#nodes.length,
        faults: this.#storm.faults,
        views,
        promises,
        acknowledgements,
        ...this.#tally.counts,
      },
      transcript: this.#transcript.text(),
    }
  }

  #say(node: string, text: string): void {
    this.#transcript.add(`${this.#clock.now.toFixed(1).padStart(9)} ${node} ${text}`)
  }
}
