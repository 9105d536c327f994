/** One namespace in memory, whose clock and settings the test has in hand. */
import { Namespace } from '../../../engine/src/namespace/namespace.ts'
import {
  type NamespaceSettings,
  newNamespaceSettings,
} from '../../../engine/src/namespace/namespace-config.ts'
import { AnswerWriter } from '../../../engine/src/protocol/answer-writer.ts'
import { Info1, Info2, RequestMessage } from '../../../engine/src/protocol/message.ts'
import { ResponseBuffer } from '../../../engine/src/protocol/response.ts'
import { newView } from '../../../engine/src/storage/record.ts'
import type { RecordStoreOptions } from '../../../engine/src/storage/record-store.ts'
import { RecordStore } from '../../../engine/src/storage/record-store.ts'
import type { AnswerMessage, MessageParts } from '../server/messages.ts'
import { body, integer, messagesOf, op } from '../server/messages.ts'

const EPOCH_2010_S = 1_262_304_000
/** When the clock of a test stands: whole seconds, so that sums in seconds are exact. */
const START_S = 1_900_000_000
const INTEGER = 1

/** Info bits that go with a command beside its own. */
type Parts = MessageParts & { readonly more?: number }

/** Steps that write an integer, remove a bin, and touch. */
export const bin = (name: string, value: number): Buffer => op(2, name, INTEGER, integer(value))
export const none = (name: string): Buffer => op(2, name)
export const touch = op(11, '')
/** The info bits of a read of all bins. */
export const ALL = { info1: Info1.READ | Info1.GET_ALL } as const
export const HEADER = { info1: Info1.READ | Info1.NOBIN } as const

/** Commands work on the record of digest 1 in set `s`, unless told otherwise. */
export class Fixture {
  readonly store: RecordStore
  readonly namespace: Namespace
  readonly settings: NamespaceSettings = newNamespaceSettings({ nsupPeriod: 100 })
  readonly #clock: Clock
  readonly #message = new RequestMessage()
  readonly #out = new ResponseBuffer()
  readonly #answer = new AnswerWriter(this.#out)

  constructor(store: RecordStore, clock: Clock) {
    this.store = store
    this.#clock = clock
    this.namespace = new Namespace('test', this.settings, store, () => clock.ms, newView())
  }

  static async open(options: Partial<RecordStoreOptions> = {}): Promise<Fixture> {
    const at = { ms: START_S * 1000 }
    const clock = (): number => at.ms
    const store = await RecordStore.open({ clock, stopwatch: clock, memoryLimit: 2 ** 28, ...options })
    return new Fixture(store, at)
  }

  /** What a start finds: a namespace of its own on the same store. */
  again(): Fixture {
    return new Fixture(this.store, this.#clock)
  }

  run(parts: MessageParts): AnswerMessage {
    const request = body({ digest: 1, ...parts })
    if (!this.#message.parse(request, 0, request.length)) throw new Error('a request that is no message')
    const out = this.#out
    const answer = this.#answer
    out.reset()
    answer.beginFrame(out)
    answer.beginMessage()
    const { code, generation, voidTime } = this.namespace.execute(this.#message, answer)
    answer.endMessage(code, generation, voidTime, 0)
    answer.endFrame()
    return messagesOf(Buffer.from(out.buffer.subarray(0, out.length)))[0]!
  }

  /** The code of a write of a=1. */
  write({ more = 0, ...parts }: Parts = {}): number {
    return this.run({ ops: [bin('a', 1)], ...parts, info2: Info2.WRITE | more }).code
  }

  remove({ more = 0, ...parts }: Parts = {}): number {
    return this.run({ ...parts, info2: Info2.WRITE | Info2.DELETE | more }).code
  }

  /** The bins that are there, integers only; undefined for no record. */
  bins(): Record<string, number> | undefined {
    const { code, ops } = this.run({ ...ALL, set: '' })
    if (code === 2) return undefined
    if (code !== 0) throw new Error(`a read that answers ${code}`)
    return Object.fromEntries(ops.map(({ name, value }) => [name, Number(value.readBigInt64BE())]))
  }

  get generation(): number {
    return this.run({ ...HEADER, set: '' }).generation
  }

  get voidTime(): number {
    return this.run({ ...HEADER, set: '' }).voidTime
  }

  /** Seconds since 2010, as void times count. */
  now(): number {
    return Math.floor(this.#clock.ms / 1000) - EPOCH_2010_S
  }

  /** Lets seconds pass. */
  pass(seconds: number): void {
    this.#clock.ms += seconds * 1000
  }
}

interface Clock {
  ms: number
}
