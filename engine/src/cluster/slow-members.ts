/**
 * Processes that did not promise in time. To invite such a one costs all others a view, so it is invited again only
 * after waits that double up to a bound, or as soon as it has shown that it has become quick: it is asked to bring its
 * promise to disk once more and say so, which disturbs nobody, and invited when some answers in a row came quickly.
 * Each failure asks for more of them, and a view in which it takes part forgets all that.
 */
import { processKey, type Process } from './process.ts'

interface Slow {
  readonly process: Process
  /** Not invited before, unless it shows that it is quick. */
  until: number
  /** The next wait. */
  wait: number
  /** Quick answers in a row: so far, and as many as are needed. */
  quick: number
  needed: number
  trial: { readonly number: number; readonly sentAt: number } | undefined
  nextTrial: number
}

/** Of waits, in heartbeat time-outs. */
const wait = { first: 2, longest: 32 }
/** Of quick answers in a row. */
const answers = { first: 2, most: 4 }

export class SlowMembers {
  readonly #timeout: number
  readonly #known = new Map<string, Slow>()
  #trials = 0

  constructor(timeout: number) {
    this.#timeout = timeout
  }

  missed(now: number, process: Process): void {
    const known = this.#known.get(processKey(process))
    const time = known?.wait ?? wait.first * this.#timeout
    this.#known.set(processKey(process), {
      process,
      until: now + time,
      wait: Math.min(2 * time, wait.longest * this.#timeout),
      quick: 0,
      needed: known ? Math.min(2 * known.needed, answers.most) : answers.first,
      trial: undefined,
      nextTrial: now,
    })
  }

  /** It is in a view. */
  made(process: Process): void {
    this.#known.delete(processKey(process))
  }

  mayInvite(now: number, process: Process): boolean {
    return now >= (this.#known.get(processKey(process))?.until ?? -Infinity)
  }

  /** What to ask of whom now. Those who are gone are forgotten when they would have been invited. */
  due(
    now: number,
    isAlive: (process: Process) => boolean,
  ): { readonly to: Process; readonly number: number }[] {
    const due: { readonly to: Process; readonly number: number }[] = []
    for (const [key, slow] of this.#known) {
      const { process } = slow
      if (!isAlive(process)) {
        if (now >= slow.until) this.#known.delete(key)
        continue
      }
      if (now >= slow.until || now < slow.nextTrial) continue
      if (slow.trial) slow.quick = 0
      slow.trial = { number: ++this.#trials, sentAt: now }
      slow.nextTrial = now + this.#timeout / 2
      due.push({ to: process, number: this.#trials })
    }
    return due
  }

  /** A promise takes a leader's sync and a member's, all within a quarter of the time-out. */
  answered(now: number, from: Process, number: number): void {
    const slow = this.#known.get(processKey(from))
    if (slow?.trial?.number !== number) return
    const isQuick = now - slow.trial.sentAt <= this.#timeout / 8
    slow.trial = undefined
    slow.quick = isQuick ? slow.quick + 1 : 0
    if (slow.quick >= slow.needed) slow.until = now
    else if (isQuick) slow.nextTrial = now
  }
}
