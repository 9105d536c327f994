/** What clients asked of two records and what they were told. */
import type { Digest } from '../cluster/strong/copy-disk.ts'
import type { Answer } from '../cluster/strong/master.ts'
import type { StrongPartition } from '../cluster/strong/partition.ts'
import { linearizability, maxOperations, type Operation } from './linearizability.ts'
import { type ScheduledDisk, setOfDigest } from './strong-disk.ts'
import type { StrongWitness } from './strong-witness.ts'

interface OpenOperation extends Operation {
  returned: number | undefined
  value?: string | undefined
}

/** Where an operation is done. */
export interface Copy {
  readonly partition: StrongPartition<string>
  readonly disk: ScheduledDisk
}

/** Steps of one check. */
const maxSteps = 20_000

export class StrongHistory {
  readonly #digests: readonly Digest[]
  readonly #witness: StrongWitness
  readonly #operations = new Map<Digest, OpenOperation[]>()
  readonly #initial = new Map<Digest, string | undefined>()
  readonly #say: (text: () => string) => void
  /** Orders beginnings and ends. */
  #time = 0
  #tokens = 0
  #truncations = 0
  acknowledged = 0
  reads = 0
  gaveUp = 0

  constructor(digests: readonly Digest[], witness: StrongWitness, say: (text: () => string) => void) {
    this.#digests = digests
    this.#witness = witness
    this.#say = say
    for (const digest of digests) this.#operations.set(digest, [])
  }

  /** Whether there is room for another operation, one being kept for the end. */
  hasRoom(): boolean {
    return [...this.#operations.values()].every((operations) => operations.length < maxOperations - 2)
  }

  append(now: number, { partition, disk }: Copy, digest: Digest): void {
    const token = String.fromCharCode(97 + (this.#tokens % 26)) + (this.#tokens++ >= 26 ? "'" : '')
    const operation = this.#begin('append', digest, token)
    partition.execute(now, {
      digest,
      kind: 'write',
      run: (position) => {
        operation.value = (disk.read(digest) ?? '') + token
        disk.apply({ entries: [[digest, { position, content: operation.value }]], state: position })
        return true
      },
      answer: (answer) => this.#wrote([digest], operation, answer, digest),
    })
  }

  /** Of what is there. */
  delete(now: number, { partition, disk }: Copy, digest: Digest): void {
    const operation = this.#begin('delete', digest)
    partition.execute(now, {
      digest,
      kind: 'write',
      run: (position) => {
        if (disk.read(digest) === undefined) return false
        disk.apply({ entries: [[digest, { position, content: undefined }]], state: position })
        return true
      },
      answer: (answer) => this.#wrote([digest], operation, answer, digest),
    })
  }

  /** All, or every other time the set of this record alone. */
  truncate({ partition }: Copy, digest: Digest): void {
    const number = ++this.#truncations
    const of = number % 2 === 1 ? undefined : digest
    const [first, ...others] = of === undefined ? this.#digests : [of]
    const operation = this.#begin('delete', first!)
    for (const digest of others) this.#operations.get(digest)!.push(operation)
    const set = of === undefined ? '' : setOfDigest(of)
    partition.truncate(set, number, (answer) =>
      this.#wrote([first!, ...others], operation, answer, undefined),
    )
  }

  read(now: number, { partition, disk }: Copy, digest: Digest): void {
    const operation = this.#begin('read', digest)
    partition.execute(now, {
      digest,
      kind: 'read',
      run: () => {
        operation.value = disk.read(digest)
        return false
      },
      answer: (answer) => {
        if (answer.kind === 'refused') return this.#forget([digest], operation)
        operation.returned = ++this.#time
        this.reads++
        this.#say(() => `read ${digest}: ${operation.value ?? 'nothing'}`)
      },
    })
  }

  /** What was before may be gone; histories begin again with what is there. */
  restart(contentOf: (digest: Digest) => string | undefined): void {
    for (const digest of this.#digests) {
      this.#operations.set(digest, [])
      this.#initial.set(digest, contentOf(digest))
    }
  }

  check(): string[] {
    const violations: string[] = []
    for (const [digest, all] of this.#operations) {
      const operations = all.filter(({ kind, returned }) => kind !== 'read' || returned !== undefined)
      const verdict = linearizability(operations, this.#initial.get(digest), maxSteps)
      if (verdict === 'gave up') this.gaveUp++
      if (verdict !== 'not linearizable') continue
      const lines = operations.map(
        ({ kind, token, value, invoked, returned }) =>
          `${kind} ${token ?? ''} ${invoked}..${returned ?? '?'} → ${value ?? 'nothing'}`,
      )
      violations.push(`L1: ${digest} is not linearizable: ${lines.join('; ')}`)
    }
    return violations
  }

  #begin(kind: Operation['kind'], digest: Digest, token?: string): OpenOperation {
    const operation: OpenOperation = {
      kind,
      invoked: ++this.#time,
      returned: undefined,
      ...(token && { token }),
    }
    this.#operations.get(digest)!.push(operation)
    return operation
  }

  #wrote(
    digests: readonly Digest[],
    operation: OpenOperation,
    answer: Answer,
    written: Digest | undefined,
  ): void {
    if (answer.kind === 'refused') return this.#forget(digests, operation)
    this.#say(
      () =>
        `${operation.kind} ${operation.token ?? ''} of ${digests.join(' ')}: ${answer.kind}, ${operation.value ?? ''}`,
    )
    if (answer.kind !== 'ok') return
    operation.returned = ++this.#time
    this.acknowledged++
    if (answer.position) this.#witness.acknowledged(answer.position, written)
  }

  #forget(digests: readonly Digest[], operation: OpenOperation): void {
    for (const digest of digests) {
      const operations = this.#operations.get(digest)!
      const at = operations.indexOf(operation)
      if (at >= 0) operations.splice(at, 1)
    }
  }
}
