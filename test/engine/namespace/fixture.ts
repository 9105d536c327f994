/** One namespace in memory, whose clock and settings the test has in hand. */
import { Namespace } from '../../../engine/src/namespace/namespace.ts'
import type { NamespaceSettings } from '../../../engine/src/namespace/namespace-config.ts'
import { AnswerWriter } from '../../../engine/src/protocol/answer-writer.ts'
import { RequestMessage } from '../../../engine/src/protocol/message.ts'
import { ResponseBuffer } from '../../../engine/src/protocol/response.ts'
import { newView } from '../../../engine/src/storage/record.ts'
import type { RecordStoreOptions } from '../../../engine/src/storage/record-store.ts'
import { RecordStore } from '../../../engine/src/storage/record-store.ts'
import type { AnswerMessage, MessageParts } from '../server/messages.ts'
import { body, messagesOf } from '../server/messages.ts'

const EPOCH_2010_S = 1_262_304_000
/** When the clock of a test stands: whole seconds, so that sums in seconds are exact. */
const START_S = 1_900_000_000

export interface Fixture {
  readonly namespace: Namespace
  readonly settings: NamespaceSettings
  readonly store: RecordStore
  /** Works on one record, of digest 1 where none is named. */
  run(parts: MessageParts): AnswerMessage
  /** Seconds since 2010, as void times count. */
  now(): number
  /** Lets seconds pass. */
  pass(seconds: number): void
}

export async function openFixture(options: Partial<RecordStoreOptions> = {}): Promise<Fixture> {
  let now = START_S * 1000
  const clock = (): number => now
  const store = await RecordStore.open({ clock, stopwatch: clock, memoryLimit: 256 * 2 ** 20, ...options })
  const settings: NamespaceSettings = {
    defaultTtl: 0,
    nsupPeriod: 100,
    allowTtlWithoutNsup: false,
    maxRecordSize: 2 ** 20,
    disallowNullSetname: false,
    rejectNonXdrWrites: false,
    rejectXdrWrites: false,
    defaultReadTouchTtlPct: 0,
  }
  const namespace = new Namespace('test', settings, store, clock, newView())
  const out = new ResponseBuffer()
  const answer = new AnswerWriter(out)
  const message = new RequestMessage()
  return {
    namespace,
    settings,
    store,
    run(parts) {
      const request = body({ digest: 1, ...parts })
      if (!message.parse(request, 0, request.length)) throw new Error('a request that is no message')
      out.reset()
      answer.beginFrame(out)
      answer.beginMessage()
      const { code, generation, voidTime } = namespace.execute(message, answer)
      answer.endMessage(code, generation, voidTime, 0)
      answer.endFrame()
      return messagesOf(Buffer.from(out.buffer.subarray(0, out.length)))[0]!
    },
    now: () => Math.floor(now / 1000) - EPOCH_2010_S,
    pass: (seconds) => void (now += seconds * 1000),
  }
}
