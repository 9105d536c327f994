/** Sees everything that nodes send and do, and says what breaks the invariants M1 to M4 of cluster/README.md. */
import type { MembershipMessage } from '../cluster/membership.ts'
import { sameProcess, type Process } from '../cluster/process.ts'
import { compareViewIds, viewKey, type ViewId } from '../cluster/view-id.ts'
import type { ViewRecord } from '../cluster/views.ts'

export class MembershipWitness {
  readonly violations: string[] = []
  readonly #records = new Map<string, string>()
  /** By data folder: the view promised for each number. */
  readonly #promises = new Map<string, Map<number, string>>()
  readonly #highest = new Map<string, ViewId>()
  views = 0
  promises = 0
  acknowledgements = 0

  sent(self: Process, durable: ViewId, message: MembershipMessage<unknown, unknown>): void {
    if (message.kind !== 'view') return
    if (message.message.kind === 'promise') this.#promised(self, durable, message.message.view)
    if (message.message.kind === 'commit') this.#recorded(message.message.record)
  }

  entered(self: Process, record: ViewRecord<unknown>): void {
    this.views++
    this.#recorded(record)
    if (!record.members.some((member) => sameProcess(member, self))) {
      this.violations.push(`M4: ${self.id} entered ${viewKey(record.id)}, of which its start is no member`)
    }
    this.#check(self, record.id, 'M3: entered')
  }

  acknowledged(self: Process, view: ViewId): void {
    this.acknowledgements++
    this.#check(self, view, 'M3: acknowledged under')
  }

  #promised(self: Process, durable: ViewId, view: ViewId): void {
    this.promises++
    const folder = `${self.id}.${self.incarnation}`
    if (compareViewIds(durable, view) < 0) {
      this.violations.push(`M1: ${folder} promised ${viewKey(view)} with ${viewKey(durable)} on disk`)
    }
    const numbers = this.#promises.get(folder) ?? new Map<number, string>()
    this.#promises.set(folder, numbers)
    const before = numbers.get(view.number)
    if (before !== undefined && before !== viewKey(view)) {
      this.violations.push(`M1: ${folder} promised both ${before} and ${viewKey(view)}`)
    }
    this.#check(self, view, 'M1: promised')
    numbers.set(view.number, viewKey(view))
    this.#highest.set(folder, view)
  }

  #recorded(record: ViewRecord<unknown>): void {
    const text = JSON.stringify(record)
    const before = this.#records.get(viewKey(record.id))
    if (before !== undefined && before !== text) {
      this.violations.push(`M2: two records of ${viewKey(record.id)}: ${before} and ${text}`)
    }
    this.#records.set(viewKey(record.id), text)
  }

  #check(self: Process, view: ViewId, what: string): void {
    const highest = this.#highest.get(`${self.id}.${self.incarnation}`)
    if (highest && compareViewIds(highest, view) > 0) {
      this.violations.push(`${what} ${viewKey(view)}, but ${self.id} had promised ${viewKey(highest)}`)
    }
  }
}
