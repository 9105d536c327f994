/**
 * Who hears whom. Each node beats to its peers and passes on the newest row it knows of every process, so that all
 * nodes of a connected group hold the same table within a few intervals, whatever the shape of the group. A row is
 * alive while its beat number keeps growing; a link counts when both rows name each other. Decides liveness only.
 */
import { sameProcess, processKey, type Process } from './process.ts'
import type { ViewId } from './view-id.ts'
import type { NodeId } from './node-id.ts'

/** What a process says of itself. */
export interface LinkRow {
  readonly process: Process
  readonly beat: number
  /** Keys of the processes it hears. */
  readonly hears: readonly string[]
  /** The view it acts in, `noView` when in none. */
  readonly view: ViewId
  readonly promised: ViewId
  /** It failed to lead and shall be passed over. */
  readonly stoodDown: boolean
}

export interface Heartbeat {
  readonly version: 1
  readonly cluster: string
  /** The sender's own row first. */
  readonly rows: readonly LinkRow[]
}

interface Known {
  row: LinkRow
  /** When its beat last grew. */
  alive: number
  /** When it was heard itself; never: -Infinity. */
  heard: number
  /**
   * Believed dead at this beat: a reconnect was refused, or another start of the node was heard. It is alive again
   * when it is heard itself, or when others pass on beats that it cannot have sent before.
   */
  deadAt: number | undefined
  standing: Standing
}

/** What the process counts for: an alive one may be known by way of others only. */
type Standing = 'silent' | 'alive' | 'heard'

/** What a peer may have received of a process that died between sending its beat to one and to the next. */
const beatsUnderWay = 1

/** Rows of processes that have been silent for this many time-outs are forgotten. */
const forgetAfterTimeouts = 10

export class Links {
  readonly #self: Process
  readonly #cluster: string
  readonly #timeout: number
  readonly #known = new Map<string, Known>()
  #beat = 0
  #shape = 0

  constructor(self: Process, cluster: string, timeout: number) {
    this.#self = self
    this.#cluster = cluster
    this.#timeout = timeout
  }

  /** The next heartbeat to send. */
  beat(now: number, state: { view: ViewId; promised: ViewId; stoodDown: boolean }): Heartbeat {
    this.#beat++
    for (const [key, known] of this.#known) {
      if (now - known.alive > forgetAfterTimeouts * this.#timeout) this.#known.delete(key)
    }
    const hears = [...this.#known].filter(([, known]) => this.#hears(now, known)).map(([key]) => key)
    const own: LinkRow = { process: this.#self, beat: this.#beat, hears, ...state }
    return { version: 1, cluster: this.#cluster, rows: [own, ...this.#rows(now)] }
  }

  hear(now: number, from: Process, heartbeat: Heartbeat): void {
    if (heartbeat.cluster !== this.#cluster) return
    for (const row of heartbeat.rows) {
      if (sameProcess(row.process, this.#self)) continue
      const direct = sameProcess(row.process, from)
      const key = processKey(row.process)
      const known = this.#known.get(key)
      if (!known) {
        const heard = direct ? now : -Infinity
        this.#known.set(key, { row, alive: now, heard, deadAt: undefined, standing: 'silent' })
      } else if (row.beat > known.row.beat || (direct && row.beat === known.row.beat)) {
        if (row.beat > known.row.beat) known.alive = now
        if (!sameLinks(row, known.row)) this.#shape++
        known.row = row
        if (direct) known.heard = now
        if (direct || (known.deadAt !== undefined && row.beat > known.deadAt + beatsUnderWay))
          known.deadAt = undefined
      }
      if (direct) this.#buryOtherStarts(row.process)
    }
  }

  /** This node itself stood still for so long: that nobody was heard meanwhile says nothing about them. */
  stoodStill(time: number): void {
    for (const known of this.#known.values()) {
      known.alive += time
      known.heard += time
    }
  }

  /** A connection to the node closed and its reconnect was refused: no process listens there. */
  refused(id: NodeId): void {
    for (const known of this.#known.values()) {
      if (known.row.process.id === id) known.deadAt ??= known.row.beat
    }
  }

  /** Whether nobody has heard of the process since it was believed dead. */
  isBelievedDead(process: Process): boolean {
    return this.#known.get(processKey(process))?.deadAt !== undefined
  }

  /** Another number whenever other links may count than before: who is alive, who hears whom, who stood down. */
  shape(now: number): number {
    for (const known of this.#known.values()) {
      const standing = this.#hears(now, known) ? 'heard' : this.#isAlive(now, known) ? 'alive' : 'silent'
      if (standing !== known.standing) this.#shape++
      known.standing = standing
    }
    return this.#shape
  }

  /** The newest row of every process that is alive, but this one. */
  alive(now: number): ReadonlyMap<NodeId, LinkRow> {
    return new Map(this.#rows(now).map((row) => [row.process.id, row]))
  }

  /** Whether this process hears that one and was last told that it hears us. */
  linkedWithSelf(now: number, row: LinkRow): boolean {
    const known = this.#known.get(processKey(row.process))
    return known !== undefined && this.#hears(now, known) && row.hears.includes(processKey(this.#self))
  }

  #rows(now: number): LinkRow[] {
    return [...this.#known.values()].filter((known) => this.#isAlive(now, known)).map((known) => known.row)
  }

  #isAlive(now: number, known: Known): boolean {
    return known.deadAt === undefined && now - known.alive <= this.#timeout
  }

  #hears(now: number, known: Known): boolean {
    return this.#isAlive(now, known) && now - known.heard <= this.#timeout
  }

  /** Not deleted: gossip would bring them back as new. A late message may bury the later start for a while. */
  #buryOtherStarts(process: Process): void {
    for (const known of this.#known.values()) {
      const other = known.row.process
      if (other.id === process.id && !sameProcess(other, process)) known.deadAt ??= known.row.beat
    }
  }
}

function sameLinks(a: LinkRow, b: LinkRow): boolean {
  return (
    a.stoodDown === b.stoodDown &&
    a.hears.length === b.hears.length &&
    a.hears.every((key, at) => key === b.hears[at])
  )
}

/** Whether two rows name each other. */
export function linked(a: LinkRow, b: LinkRow): boolean {
  return a.hears.includes(processKey(b.process)) && b.hears.includes(processKey(a.process))
}
