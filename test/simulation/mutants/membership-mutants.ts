import type { Mutant } from './mutant.ts'

/** Each takes one rule out of the source; the simulator must notice. */
export const membershipMutants: readonly Mutant[] = [
  {
    name: 'V1: a promise is sent before it is on disk',
    file: 'cluster/views.ts',
    find: "    this.#outputs.push({ kind: 'store', promised: view })\n",
    replace:
      "    this.#outputs.push({ kind: 'store', promised: view })\n    if (proposer.id !== this.#options.self.id) this.#sendPromise(proposer)\n",
    kind: 'membership',
    seed: 0,
    breaks: 'M1',
  },
  {
    name: 'V1: a number is promised twice',
    file: 'cluster/views.ts',
    find: 'if (view.number <= this.#promised.number) {',
    replace: 'if (view.number < this.#promised.number) {',
    kind: 'membership',
    seed: 0,
    breaks: 'M1',
  },
  {
    name: 'V1: a leader does not remember what it promised itself',
    file: 'cluster/views.ts',
    find: '    this.#promise(view, self)\n    this.#round = { view, members, promises: new Map() }',
    replace:
      '    this.#promised = view\n    this.#proposer = self\n    this.#highestSeen = view.number\n    this.#round = { view, members, promises: new Map() }\n    this.stored(view)',
    kind: 'membership',
    seed: 0,
    breaks: 'M1|M2',
  },
  {
    name: 'V2: a node acts in its view after it promised another',
    file: 'cluster/views.ts',
    find: 'return this.#record && sameView(this.#record.id, this.#promised) ? this.#record : undefined',
    replace: 'return this.#record',
    kind: 'membership',
    seed: 0,
    breaks: 'M3',
  },
  {
    name: 'V2: a node enters a view that it did not promise last',
    file: 'cluster/views.ts',
    find: 'if (!sameView(record.id, this.#promised) || !sameView(record.id, this.#stored)) return',
    replace: '',
    kind: 'membership',
    seed: 0,
    breaks: 'M3|without a promise',
  },
  {
    name: 'V2: a late promise makes another record of the same view',
    file: 'cluster/views.ts',
    find: '    this.#round = undefined\n    const record = { id: round.view',
    replace:
      '    if (members.length === round.members.length) this.#round = undefined\n    const record = { id: round.view',
    kind: 'membership',
    seed: 0,
    breaks: 'M2',
  },
  {
    name: 'V3: a message for an earlier start is taken, and so is its commit',
    file: 'cluster/membership.ts',
    find: '} else if (message.toStart === this.#options.self.start) {',
    replace: '} else {',
    also: [
      {
        file: 'cluster/views.ts',
        find: 'if (!this.#proposer || !sameProcess(this.#proposer, from)) return',
        replace: '',
      },
    ],
    kind: 'membership',
    seed: 0,
    breaks: 'M4',
  },
  {
    name: 'M5: a link counts when one end reports it',
    file: 'cluster/links.ts',
    find: 'a.hears.includes(processKey(b.process)) && b.hears.includes(processKey(a.process))',
    replace: 'a.hears.includes(processKey(b.process)) || b.hears.includes(processKey(a.process))',
    kind: 'membership',
    seed: 0,
    breaks: 'M5|M6',
  },
  {
    name: 'M6: a member that was slow is not invited when it is quick again',
    file: 'cluster/slow-members.ts',
    find: 'if (slow.quick >= slow.needed) slow.until = now\n',
    replace: 'if (slow.quick >= slow.needed) slow.quick = 0\n',
    kind: 'membership',
    seed: 0,
    breaks: 'M6',
  },
]
