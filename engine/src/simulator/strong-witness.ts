/** Sees what a partition acknowledges and when it serves, and says what breaks the rules that can be seen at once. */
import { sameProcess, type Process } from '../cluster/process.ts'
import type { Durability, Plan } from '../cluster/strong/activation.ts'
import type { Digest } from '../cluster/strong/copy-disk.ts'
import type { Lineage } from '../cluster/strong/lineage.ts'
import { positionText, type Position } from '../cluster/strong/position.ts'
import type { Regime } from '../cluster/regime.ts'
import { compareViewIds, sameView, viewKey, type ViewId } from '../cluster/view-id.ts'
import type { ScheduledDisk } from './strong-disk.ts'
import type { StrongNode } from './strong-node.ts'

export class StrongWitness {
  readonly violations: string[] = []
  readonly #durability: Durability
  readonly #nodes: () => readonly StrongNode[]
  readonly #digests: readonly Digest[]
  /** Every position that was acknowledged, and what it wrote; nothing for a truncation. */
  #acknowledged: { readonly position: Position; readonly digest: Digest | undefined }[] = []
  readonly #served = new Set<string>()
  /** Where each regime began, also those that copies remember no more. */
  readonly #starts = new Map<Regime, Position>()
  /** Disks that were lost, and stops that were unclean in a regime whose acknowledgements did not wait for the disk. */
  losses = 0
  /** The last regime that served, with the number of complete copies it began with and the losses by then. */
  #last: { readonly regime: ViewId; readonly complete: number; readonly losses: number } | undefined
  /** By regime: what had been lost when its first member entered it, and whether its acknowledgements are all synced. */
  readonly #entered = new Map<string, { readonly losses: number; readonly synced: boolean }>()
  /** While a partition is revived acknowledged writes may be gone. */
  forgives = false

  constructor(durability: Durability, nodes: () => readonly StrongNode[], digests: readonly Digest[]) {
    this.#durability = durability
    this.#nodes = nodes
    this.#digests = digests
  }

  get regimes(): number {
    return this.#served.size
  }

  acknowledged(position: Position, digest: Digest | undefined): void {
    this.#acknowledged.push({ position, digest })
  }

  /** What was lost is lost; from now on nothing else may be. */
  accept(): void {
    this.#acknowledged = []
    this.forgives = false
  }

  enters(regime: ViewId, plan: Plan | undefined): void {
    const key = viewKey(regime)
    if (!plan || this.#entered.has(key)) return
    const synced = this.#durability === 'commit' || plan.complete.length < factorOf(plan)
    this.#entered.set(key, { losses: this.losses, synced })
  }

  /** Counts what a stop without a last sync may take away: nothing that a synced regime has acknowledged (rule D2). */
  stopsUncleanly({ meta, syncedMeta }: ScheduledDisk): void {
    const mayLose = [meta, syncedMeta].some(({ activations }) => {
      const last = activations.at(-1)
      return last !== undefined && this.#entered.get(viewKey(last.regime))?.synced !== true
    })
    if (mayLose) this.losses++
  }

  /** A master begins to serve; nothing has been written in its regime yet. */
  serves(node: StrongNode): void {
    const plan = node.partition!.plan!
    const { regime, members } = plan.activation
    if (this.#served.has(viewKey(regime))) this.violations.push(`A3: ${viewKey(regime)} serves twice`)
    this.#served.add(viewKey(regime))
    // A master that hears late that all have written begins a regime that can acknowledge nothing any more.
    if (this.#last && compareViewIds(this.#last.regime, regime) > 0) return
    const losses = this.#entered.get(viewKey(regime))?.losses ?? this.losses
    this.#last = { regime, complete: plan.complete.length, losses }
    for (const { regime, start } of node.disk.lineage.epochs) this.#starts.set(regime, start)
    for (const { position } of this.#acknowledged) {
      if (!this.forgives && !this.#holds(node.disk.lineage, position)) {
        this.violations.push(
          `A2: ${viewKey(regime)} serves without ${positionText(position)}, which was acknowledged`,
        )
      }
    }
    for (const seat of members) {
      const member = this.#find(seat)
      if (!member || member.incarnation !== seat.incarnation) continue
      if (!member.disk.syncedMeta.activations.some((written) => sameView(written.regime, regime))) {
        this.violations.push(`A4: ${viewKey(regime)} serves, but ${seat.id} has not written its activation`)
      }
    }
    for (const process of plan.complete) this.#checkEqual(node, process, `A8: as ${viewKey(regime)} begins`)
    this.#checkKept(plan)
  }

  /**
   * Whether a copy must be left that is complete as of the last regime that may have served: nothing was lost since, or
   * less than the regime has complete copies, and no later activation was written by all its members.
   */
  hasComplete(): boolean {
    const last = this.#last
    const lost = this.losses - (last?.losses ?? 0)
    if (lost === 0) return true
    if (!last || lost >= last.complete) return false
    const written = this.#nodes().flatMap((node) => node.disk.meta.activations)
    return written.every(
      ({ regime, members }) =>
        compareViewIds(regime, last.regime) <= 0 ||
        members.some((seat) => {
          const member = this.#find(seat)!
          const wrote = member.disk.meta.activations.some((activation) => sameView(activation.regime, regime))
          return member.incarnation === seat.incarnation && !wrote
        }),
    )
  }

  /** The replicas hold the same. */
  converged(master: StrongNode): void {
    for (const process of master.partition!.plan!.replicas)
      this.#checkEqual(master, process, 'F1: in the end')
  }

  /** Whether the copy's past, back to the beginning, has the write. */
  #holds({ state }: Lineage, { regime, sequence }: Position): boolean {
    let at: Position | undefined = state
    while (at && at.regime > regime) at = this.#starts.get(at.regime)
    return at?.regime === regime && sequence <= at.sequence
  }

  /** While fewer than RF copies are complete, none that is present may be left behind. */
  #checkKept(plan: Plan): void {
    const { activation, complete } = plan
    if (complete.length >= factorOf(plan)) return
    for (const seat of activation.members) {
      const member = this.#find(seat)
      if (member?.incarnation !== seat.incarnation || complete.some(({ id }) => id === seat.id)) continue
      const { claims, unclean } = member.disk.meta
      if (!unclean && claims.some((claim) => sameView(claim, activation.previous))) {
        this.violations.push(`A6: ${viewKey(activation.regime)} leaves out ${seat.id}, which is complete`)
      }
    }
  }

  #checkEqual(master: StrongNode, process: Process, when: string): void {
    const other = this.#find(process)
    if (!other?.process || other === master || !sameProcess(other.process, process)) return
    for (const digest of this.#digests) {
      const [mine, theirs] = [seen(master, digest), seen(other, digest)]
      if (mine !== theirs) {
        this.violations.push(`${when} ${master.id} has ${digest} as ${mine}, ${other.id} as ${theirs}`)
      }
    }
  }

  #find({ id }: { readonly id: string }): StrongNode | undefined {
    return this.#nodes().find((node) => node.id === id)
  }
}

/** A tombstone that one copy has dropped and the other has not makes no difference. */
function seen({ disk }: StrongNode, digest: Digest): string {
  const version = disk.find(digest)
  const content = disk.read(digest)
  if (version === undefined || content === undefined) return 'nothing'
  return `${content} of ${positionText(version.position)}`
}

function factorOf({ rosters }: Plan): number {
  return (rosters.pending ?? rosters.inForce).replicationFactor
}
