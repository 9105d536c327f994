/**
 * Makes the complete copies of a regime equal before it serves (rules A7, A8): the master gets the starting state from
 * the copy that has it, the others get it from the master. A copy says what it holds above the common point, and gets
 * the giver's own version of each and all else that is above the point, older or newer, in one unit.
 */
import { sameProcess, type Process } from '../process.ts'
import { regimeOf } from '../regime.ts'
import { includesProcess } from './activation.ts'
import { nothingHeld, nothingToGive } from './alike.ts'
import type { Digest } from './copy-disk.ts'
import { begun, commonPoint, type Lineage } from './lineage.ts'
import type { Unit } from './message.ts'
import type { PartitionContext } from './partition-context.ts'
import { comparePositions, laterPosition, origin } from './position.ts'

export class BringUp<Content> {
  readonly #context: PartitionContext<Content>
  readonly #lineageOf: (process: Process) => Lineage
  readonly #reached: () => void
  /** Copies that asked before this one could give. */
  readonly #asked = new Map<Process, readonly Digest[]>()
  /** Where this copy gets the starting state; none when it is not to get there. */
  readonly #source: Process | undefined
  #isReached = false

  /** `lineageOf` is what the member reported; `reached` is called when this copy holds the starting state. */
  constructor(
    context: PartitionContext<Content>,
    lineageOf: (process: Process) => Lineage,
    reached: () => void,
  ) {
    this.#context = context
    this.#lineageOf = lineageOf
    this.#reached = reached
    const { self, plan } = context
    const giver = sameProcess(self, plan.master) ? plan.source : plan.master
    this.#source = includesProcess(plan.complete, self) ? giver : undefined
  }

  /** The source, until it has given. */
  get #giver(): Process | undefined {
    return this.#isReached ? undefined : this.#source
  }

  /** This copy holds the starting state, or is not to get there. */
  get isOver(): boolean {
    return this.#giver === undefined
  }

  /** To be called at the start and at every tick. */
  tick(): void {
    const giver = this.#giver
    const { self, disk } = this.#context
    if (!giver) return
    if (sameProcess(giver, self)) return this.#enter({})
    const point = this.#pointOf(self)
    const digests = point ? disk.digestsAbove(point) : []
    this.#context.send(giver, digests.length === 0 ? nothingHeld : { kind: 'held', digests })
  }

  held(from: Process, digests: readonly Digest[]): void {
    this.#asked.set(from, digests)
    this.#answer()
  }

  unit(unit: Unit<Content>): void {
    if (this.#giver) this.#enter(unit)
  }

  #enter(unit: Partial<Unit<Content>>): void {
    const { disk, plan } = this.#context
    const horizon = laterPosition(disk.horizon, unit.horizon ?? origin)
    const lineage = begun(plan.start, regimeOf(plan.activation.regime), plan.isWhole)
    disk.apply({ ...unit, horizon, lineage })
    this.#isReached = true
    this.#reached()
    this.#answer()
  }

  #answer(): void {
    const { self, plan } = this.#context
    for (const [to, digests] of this.#asked) {
      const gives = sameProcess(to, plan.master) ? sameProcess(self, plan.source) : this.#isReached
      if (!gives) continue
      this.#asked.delete(to)
      const unit = this.#unitFor(to, digests)
      this.#context.send(to, isNothing(unit) ? nothingToGive : { kind: 'unit', unit })
    }
  }

  #unitFor(to: Process, held: readonly Digest[]): Unit<Content> {
    const { disk } = this.#context
    const point = this.#pointOf(to)
    const whole = !point || comparePositions(point, disk.horizon) < 0
    const digests = whole
      ? disk.digestsAfter(undefined, Infinity)
      : new Set([...held, ...disk.digestsAbove(point)])
    const entries = [...digests].map((digest) => [digest, disk.find(digest)] as const)
    return { whole, entries, horizon: disk.horizon, truncations: disk.truncations }
  }

  #pointOf(process: Process) {
    const { plan } = this.#context
    return plan.revives ? undefined : commonPoint(this.#lineageOf(process), plan.start)
  }
}

function isNothing({ whole, entries, horizon, truncations }: Unit<unknown>): boolean {
  if (whole || entries.length > 0 || truncations.length > 0) return false
  return comparePositions(horizon, origin) === 0
}
