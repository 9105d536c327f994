/**
 * The one device of a simulated node, with its data folder and the node's own file: slow, full, failing now and then,
 * or gone. What it does takes time on the run's clock; while the process stands still it works on, and the process
 * learns of it afterwards.
 */
import type { Clock } from './clock.ts'
import { type DiskCall, SimulatedDisk, type SimulatedDiskOptions } from './disk.ts'
import type { Random } from './random.ts'
import type { Standstill } from './standstill.ts'
import { quickDisk } from './storm.ts'
import type { Tally } from './tally.ts'

export interface NodeDiskOptions {
  readonly clock: Clock
  readonly random: Random
  readonly tally: Tally
  readonly standstill: Standstill
  /** There is something to do after this event. */
  readonly wake: () => void
}

/** Milliseconds of the quickest sync. */
const quickest = 0.1

export class NodeDisk<Saved extends object> {
  readonly #options: NodeDiskOptions
  readonly #blank: Saved
  #data: SimulatedDisk
  #saved: Saved
  /** When the node's file has all it was given. */
  #fileFree = 0
  /** Changes with each end of the process, whose writes to the file that are under way never happen. */
  #process = {}
  /** Milliseconds of the longest sync. */
  delay = quickDisk
  /** Whether there is no room. */
  isFull = false
  /** The next call of this name fails. */
  failsNext: 'write' | 'sync' | undefined
  /** Writes to the file until the power fails. */
  writesLeft = Infinity

  constructor(blank: Saved, options: NodeDiskOptions) {
    this.#options = options
    this.#blank = blank
    this.#saved = blank
    this.#data = new SimulatedDisk(this.#behaviour())
  }

  /** For the data folder; another one after each end of the process. */
  get data(): SimulatedDisk {
    return this.#data
  }

  /** What stands in the node's file. */
  get saved(): Saved {
    return this.#saved
  }

  /** To the node's file, one write after the other; `done` when it is there, `failed` when the device fails. */
  save(
    change: Partial<Saved>,
    { done, failed }: { done: () => void; failed: (how: 'kill' | 'power') => void },
  ): void {
    const { clock, random, standstill } = this.#options
    const process = this.#process
    this.#fileFree = Math.max(clock.now, this.#fileFree) + random.between(quickest, this.delay)
    clock.after(this.#fileFree - clock.now, () => {
      if (this.#process !== process) return
      if (this.#fails('sync')) return failed('kill')
      const isLast = --this.writesLeft <= 0
      // The last write before the power fails may be there or not.
      if (!isLast || random.chance(0.5)) this.#saved = { ...this.#saved, ...change }
      if (isLast) {
        this.#options.tally.add('power lost between two saves')
        return failed('power')
      }
      standstill.run(done)
    })
  }

  /** It has room again, and does not fail. */
  repair(): void {
    this.isFull = false
    this.failsNext = undefined
    this.writesLeft = Infinity
  }

  /** What was written and not synced is lost in part when the power fails. */
  endProcess(how: 'kill' | 'power'): void {
    const options = this.#behaviour()
    this.#data = how === 'power' ? this.#data.losePower(options) : this.#data.endProcess(options)
    this.#process = {}
    this.#fileFree = 0
    this.failsNext = undefined
    this.writesLeft = Infinity
  }

  /** An empty one in its place. */
  replace(): void {
    this.endProcess('kill')
    this.#data = new SimulatedDisk(this.#behaviour())
    this.#saved = this.#blank
    this.repair()
  }

  #behaviour(): SimulatedDiskOptions {
    const { clock, random, tally, standstill, wake } = this.#options
    return {
      random: () => random.fraction(),
      before: (call) => {
        wake()
        if (call !== 'sync' && call !== 'syncFolder') return undefined
        return new Promise((resolve) => {
          clock.after(random.between(quickest, this.delay), () => {
            wake()
            resolve()
          })
        })
      },
      after: () => {
        if (!standstill.isStill) return undefined
        return new Promise((resolve) => {
          standstill.run(() => {
            wake()
            resolve()
          })
        })
      },
      failure: (call) => this.#failure(call),
      onForget: (what) => tally.add(`${what} write`),
    }
  }

  #failure(call: DiskCall): string | undefined {
    if (call === 'write' && this.isFull) {
      this.#options.tally.add('full disk refused a write')
      return 'ENOSPC'
    }
    return (call === 'write' || call === 'sync') && this.#fails(call) ? 'EIO' : undefined
  }

  #fails(call: 'write' | 'sync'): boolean {
    if (this.failsNext !== call) return false
    this.failsNext = undefined
    this.#options.tally.add(`failed ${call}`)
    return true
  }
}
