import type { AnswerWriter } from '../protocol/answer-writer.ts'
import type { RequestMessage } from '../protocol/message.ts'
import { Info1, Info2, Info3 } from '../protocol/message.ts'
import { MAX_TTL_S, TTL_DEFAULT, TTL_KEEP, TTL_NEVER } from '../protocol/time-to-live.ts'
import { filterResult } from '../operations/expression/expression.ts'
import { newDraft, type RecordDraft, type RecordView } from '../storage/record.ts'
import type { RecordStore } from '../storage/record-store.ts'
import { sameBytes } from '../values/byte-equality.ts'
import { DIGEST_BYTES } from '../values/digest.ts'
import { NO_TIME } from '../values/no-time.ts'
import type { Slice } from '../values/particle.ts'
import { ResultCode, ResultError } from '../values/result-code.ts'
import { voidTimeAt } from '../values/void-time.ts'
import type { NamespaceSettings, SetSettings } from './namespace-config.ts'
import { newSetSettings } from './namespace-config.ts'
import { checkWriteOps, OpCursor, OpRunner } from './record-ops.ts'
import { countRequest, type NamespaceCounters, newCounters } from './request-counters.ts'
import { RecordFacts } from './record-facts.ts'
import { WorkingRecord } from './working-record.ts'

const MAX_SET_BYTES = 63
const LAST_GENERATION = 65_535
/** What the real server's stored form takes beside names and values; max-record-size counts it. */
const RECORD_OVERHEAD = 46
/** Of that, what stands for each bin in the form we store. */
const BIN_OVERHEAD = 8
/** Bits of info4 that only another edition answers, on writes and on reads. */
const WRITE_TRANSACTION = 0x06
const READ_TRANSACTION = 0x05
const INTEGER_KEY = 1
const INTEGER_KEY_BYTES = 9

/** What a command did to its record, as the answer's header shows it. */
export interface Outcome {
  code: ResultCode
  generation: number
  voidTime: number
}

/** One namespace: applies record messages to its store. */
export class Namespace {
  readonly name: string
  readonly settings: NamespaceSettings
  readonly counters: NamespaceCounters = newCounters()
  readonly store: RecordStore
  /** Whether the last command got so far that its record may be another; asked when it ended in an exception. */
  mayHaveChanged = false
  readonly #clock: () => number
  readonly #setSettings: (SetSettings | undefined)[] = []
  readonly #view: RecordView
  readonly #record = new WorkingRecord()
  readonly #facts: RecordFacts
  readonly #runner: OpRunner
  readonly #cursor = new OpCursor()
  readonly #draft: RecordDraft
  /** New versions are never older than this: what was truncated stays apart from what came after. */
  #floor = NO_TIME
  /** Its copies are strongly consistent, so it can do what that needs. */
  readonly #isStrong: boolean
  /** Of the request that is worked on; below 0 while it has not been asked for. */
  #requestTime = -Infinity
  readonly #outcome: Outcome = { code: ResultCode.OK, generation: 0, voidTime: 0 }

  constructor(
    name: string,
    settings: NamespaceSettings,
    store: RecordStore,
    clock: () => number,
    view: RecordView,
  ) {
    this.name = name
    this.settings = settings
    this.store = store
    this.#clock = clock
    this.#view = view
    this.#facts = new RecordFacts(this.#record, view, {
      clock: () => this.#now(),
      setName: (id) => store.sets[id]!.name,
    })
    this.#runner = new OpRunner(this.#facts)
    this.#draft = newDraft()
    this.#floor = store.latestTruncation
    this.#isStrong = store.copies !== undefined
  }

  setSettings(set: string): SetSettings {
    const name = Buffer.from(set, 'latin1')
    return this.#settingsOf(this.store.setId(name, 0, name.length, true))
  }

  /** Hides what was last updated before `before`, ms since 1970. */
  truncate(set: string | undefined, before: number): void {
    this.#floor = Math.max(this.#floor, before)
    if (set === undefined) return this.store.truncate(0, before)
    const name = Buffer.from(set, 'latin1')
    const id = this.store.setId(name, 0, name.length, false)
    if (id > 0) this.store.truncate(id, before)
  }

  untruncate(set: string | undefined): void {
    if (set === undefined) return this.store.untruncate(0)
    const name = Buffer.from(set, 'latin1')
    const id = this.store.setId(name, 0, name.length, false)
    if (id > 0) this.store.untruncate(id)
  }

  /**
   * Works on one record; ops go to `answer`, the numbers of its header are returned and valid until the next call.
   * `now`: ms since 1970, where the caller has just looked at the clock.
   */
  execute(message: RequestMessage, answer: AnswerWriter, now = -Infinity): Outcome {
    const outcome = this.#outcome
    this.mayHaveChanged = false
    this.#requestTime = now
    outcome.code = ResultCode.OK
    outcome.generation = 0
    outcome.voidTime = 0
    try {
      this.#route(message, answer)
    } catch (error) {
      if (!(error instanceof ResultError)) throw error
      outcome.code = error.code
    }
    if (outcome.code !== ResultCode.OK) answer.dropOps()
    countRequest(this.counters, message.info2, outcome.code)
    return outcome
  }

  #route(message: RequestMessage, answer: AnswerWriter): void {
    if (message.digestAt < 0) return this.#refuse(ResultCode.UNSUPPORTED)
    if (message.digestEnd - message.digestAt !== DIGEST_BYTES) return this.#refuse(ResultCode.PARAMETER)
    if (message.info2 & Info2.WRITE) {
      if (message.info2 & Info2.DELETE) this.#delete(message)
      else this.#write(message, answer)
    } else if (message.info1 & Info1.READ) this.#read(message, answer)
    else this.#refuse(ResultCode.PARAMETER)
  }

  #refuse(code: ResultCode): void {
    this.#outcome.code = code
  }

  /** Looks the record up, expired or not. */
  #find(message: RequestMessage): boolean {
    if (!this.store.find(message.buffer, message.digestAt, this.#view)) return false
    this.#outcome.generation = this.#view.generation
    this.#outcome.voidTime = this.#view.voidTime
    return true
  }

  /** The same, where an expired one counts as missing. */
  #findAlive(message: RequestMessage): boolean {
    return this.#find(message) && (this.#view.voidTime === 0 || this.#view.voidTime > this.#seconds())
  }

  /** ms since 1970, the same for all of one request: a look at the clock takes longer than a look-up. */
  #now(): number {
    if (this.#requestTime < 0) this.#requestTime = this.#clock()
    return this.#requestTime
  }

  #seconds(): number {
    return voidTimeAt(this.#now())
  }

  #read(message: RequestMessage, answer: AnswerWriter): void {
    const { info1, info3, info4 } = message
    const linearize = (info3 & (Info3.SC_READ_TYPE | Info3.SC_READ_RELAX)) === Info3.SC_READ_TYPE
    if (message.hasTransaction || (linearize && !this.#isStrong) || info4 & READ_TRANSACTION)
      return this.#refuse(ResultCode.ENTERPRISE_ONLY)
    if (!this.#findAlive(message)) return this.#refuse(ResultCode.NOT_FOUND)
    const refused = this.#checkRecord(message, false)
    if (refused !== ResultCode.OK) return this.#refuse(refused)
    if (!this.#readTouchIsValid(message.ttl)) return this.#refuse(ResultCode.PARAMETER)
    const { buffer, binsStart, binsEnd, binCount } = this.#view
    if (info1 & Info1.NOBIN) return this.#readTouch(message)
    if (info1 & Info1.GET_ALL) answer.bins(buffer, binsStart, binsEnd, binCount)
    else if (message.opCount === 0) return this.#refuse(ResultCode.PARAMETER)
    else {
      this.#record.load(buffer, binsStart, binsEnd)
      this.#facts.open(message, true)
      this.#runner.run(message, this.#record, answer)
    }
    this.#readTouch(message)
  }

  /** Set, filter and key of a record that is there. */
  #checkRecord(message: RequestMessage, isWrite: boolean): ResultCode {
    if (!this.#setMatches(message, isWrite)) return ResultCode.PARAMETER
    if (message.filterStart >= 0) {
      const filtered = this.#filter(message)
      if (filtered !== ResultCode.OK) return filtered
    }
    return this.#keyMatches(message) ? ResultCode.OK : ResultCode.KEY_MISMATCH
  }

  #filter(message: RequestMessage): ResultCode {
    const { buffer, binsStart, binsEnd } = this.#view
    this.#record.load(buffer, binsStart, binsEnd)
    this.#facts.open(message, true)
    return filterResult(
      { buffer: message.buffer, start: message.filterStart, end: message.filterEnd },
      this.#facts,
    )
  }

  #setMatches(message: RequestMessage, isWrite: boolean): boolean {
    const { setId } = this.#view
    if (!message.hasSet) return setId === 0 || !isWrite
    const { name } = this.store.sets[setId]!
    return sameBytes(message.buffer, message.setStart, message.setEnd, name)
  }

  #keyMatches({ buffer, keyStart, keyEnd }: RequestMessage): boolean {
    const view = this.#view
    if (keyStart < 0 || view.keyStart === view.keyEnd) return true
    return sameBytes(buffer, keyStart, keyEnd, {
      buffer: view.buffer,
      start: view.keyStart,
      end: view.keyEnd,
    })
  }

  #readTouchIsValid(percent: number): boolean {
    return this.#view.voidTime === 0 || percent <= 100 || percent === TTL_NEVER
  }

  /** Gives a record its life again when less than the wanted share of it is left. */
  #readTouch({ ttl, buffer, digestAt }: RequestMessage): void {
    const view = this.#view
    if (view.voidTime === 0 || ttl === TTL_NEVER) return
    const percent =
      ttl || this.#settingsOf(view.setId).defaultReadTouchTtlPct || this.settings.defaultReadTouchTtlPct
    if (percent === 0) return
    const now = this.#seconds()
    const life = view.voidTime - voidTimeAt(view.lastUpdate)
    // A read goes well without its touch, so a full memory does not fail it.
    if ((view.voidTime - now) * 100 >= percent * life || this.store.stopWrites) return
    this.#draftFrom(buffer, digestAt, view.setId)
    this.#draft.binSource = undefined
    this.#draft.key = this.#draft.bins = view.buffer
    this.#draft.keyStart = view.keyStart
    this.#draft.keyEnd = view.keyEnd
    this.#draft.binsStart = view.binsStart
    this.#draft.binsEnd = view.binsEnd
    this.#draft.binCount = view.binCount
    this.#draft.generation = view.generation
    this.#draft.voidTime = now + life
    this.#draft.lastUpdate = Math.max(this.#draft.lastUpdate, view.lastUpdate)
    this.store.write(this.#draft, true)
  }

  #delete(message: RequestMessage): void {
    if (this.#refusesDurable(message)) return this.#refuse(ResultCode.ENTERPRISE_ONLY)
    if (this.#rejected(message)) return this.#refuse(ResultCode.FORBIDDEN)
    // An expired record that has not been swept yet is deleted like any other, as on the real server.
    if (!this.#find(message)) return this.#refuse(ResultCode.NOT_FOUND)
    const { generation } = this.#outcome
    this.#outcome.generation = this.#outcome.voidTime = 0
    if (!this.#setMatches(message, false)) return this.#refuse(ResultCode.PARAMETER)
    if (!this.#generationFits(message, generation)) return this.#refuse(ResultCode.GENERATION)
    const refused = this.#checkRecord(message, false)
    if (refused !== ResultCode.OK) return this.#refuse(refused)
    this.mayHaveChanged = true
    this.store.remove(message.buffer, message.digestAt)
  }

  /** Where copies are strong every delete leaves a tombstone. */
  #refusesDurable({ info2 }: RequestMessage): boolean {
    return (info2 & Info2.DURABLE_DELETE) !== 0 && !this.#isStrong
  }

  #rejected({ info1 }: RequestMessage): boolean {
    return info1 & Info1.XDR ? this.settings.rejectXdrWrites : this.settings.rejectNonXdrWrites
  }

  #write(message: RequestMessage, answer: AnswerWriter): void {
    const early = this.#refusedEarly(message)
    if (early !== ResultCode.OK) return this.#refuse(early)
    const exists = this.#findAlive(message)
    const refused = exists ? this.#refusedUpdate(message) : this.#refusedCreate(message)
    if (refused !== ResultCode.OK) return this.#refuse(refused)
    this.#apply(message, answer, exists)
  }

  #refusedEarly(message: RequestMessage): ResultCode {
    if (this.#rejected(message)) return ResultCode.FORBIDDEN
    const ops = checkWriteOps(message, this.#cursor)
    if (ops !== ResultCode.OK) return ops
    if (message.hasTransaction || message.info4 & WRITE_TRANSACTION) return ResultCode.ENTERPRISE_ONLY
    if (message.opCount === 0) return ResultCode.PARAMETER
    if (!keyIsValid(message)) return ResultCode.UNSUPPORTED
    return this.store.stopWrites ? ResultCode.NO_SPACE : ResultCode.OK
  }

  #refusedUpdate(message: RequestMessage): ResultCode {
    if (message.info2 & Info2.CREATE_ONLY) return ResultCode.RECORD_EXISTS
    if (!this.#generationFits(message, this.#view.generation)) return ResultCode.GENERATION
    const refused = this.#checkRecord(message, true)
    return refused === ResultCode.OK ? this.#refusedTtl(message.ttl) : refused
  }

  #refusedCreate(message: RequestMessage): ResultCode {
    if (message.info3 & (Info3.UPDATE_ONLY | Info3.REPLACE_ONLY)) return ResultCode.NOT_FOUND
    if (!this.#generationFits(message, 0)) return ResultCode.GENERATION
    if (message.setEnd - message.setStart > MAX_SET_BYTES) return ResultCode.PARAMETER
    if (this.settings.disallowNullSetname && !message.hasSet) return ResultCode.PARAMETER
    const set = this.store.setId(message.buffer, message.setStart, message.setEnd, false)
    if (set > 0) {
      const { stopWritesCount, stopWritesSize } = this.#settingsOf(set)
      const { objects, bytes } = this.store.sets[set]!
      if (stopWritesCount > 0 && objects >= stopWritesCount) return ResultCode.FORBIDDEN
      if (stopWritesSize > 0 && bytes >= stopWritesSize) return ResultCode.FORBIDDEN
    }
    return this.#refusedTtl(message.ttl)
  }

  #generationFits({ info2, generation }: RequestMessage, current: number): boolean {
    if (info2 & Info2.GENERATION) return generation === current
    return (info2 & Info2.GENERATION_GT) === 0 || generation > current
  }

  #refusedTtl(ttl: number): ResultCode {
    if (ttl === TTL_DEFAULT || ttl === TTL_NEVER || ttl === TTL_KEEP) return ResultCode.OK
    if (ttl > MAX_TTL_S) return ResultCode.PARAMETER
    const { nsupPeriod, allowTtlWithoutNsup } = this.settings
    return nsupPeriod === 0 && !allowTtlWithoutNsup ? ResultCode.FORBIDDEN : ResultCode.OK
  }

  /** Runs the ops on the record's bins and stores what is left of them. */
  #apply(message: RequestMessage, answer: AnswerWriter, exists: boolean): void {
    const view = this.#view
    const record = this.#record
    const replace = (message.info3 & (Info3.CREATE_OR_REPLACE | Info3.REPLACE_ONLY)) !== 0
    if (exists && !replace) record.load(view.buffer, view.binsStart, view.binsEnd)
    else record.clear()
    this.#facts.open(message, exists)
    this.#facts.beginWrite()
    this.#runner.run(message, record, answer)
    if (message.info1 & Info1.NOBIN) answer.dropOps()
    if (record.count === 0) return this.#vanish(message, exists)
    const created = !exists
    const set = created
      ? this.store.setId(message.buffer, message.setStart, message.setEnd, true)
      : view.setId
    this.#draftFrom(message.buffer, message.digestAt, set)
    const draft = this.#draft
    // What another node wrote or deleted may be ahead of this clock.
    draft.lastUpdate = Math.max(draft.lastUpdate, this.store.foundUpdate)
    this.#draftKey(message, exists)
    draft.generation = created ? 1 : view.generation >= LAST_GENERATION ? 1 : view.generation + 1
    draft.voidTime = this.#voidTime(message.ttl, exists, set)
    const bytes = record.bytes
    if (this.#storedBytes(bytes, set) > this.settings.maxRecordSize)
      return this.#refuse(ResultCode.RECORD_TOO_BIG)
    draft.binSource = record
    draft.binsStart = 0
    draft.binsEnd = bytes
    draft.binCount = record.count
    this.mayHaveChanged = true
    this.store.write(draft, true)
    this.#outcome.generation = draft.generation
    this.#outcome.voidTime = draft.voidTime
  }

  /** No bins are left: the record goes, or never was. */
  #vanish(message: RequestMessage, exists: boolean): void {
    if (!exists) return this.#refuse(ResultCode.NOT_FOUND)
    if (this.#refusesDurable(message)) return this.#refuse(ResultCode.ENTERPRISE_ONLY)
    this.mayHaveChanged = true
    this.store.remove(message.buffer, message.digestAt)
    this.#outcome.generation = this.#outcome.voidTime = 0
  }

  #draftFrom(buffer: Buffer, digestAt: number, setId: number): void {
    const draft = this.#draft
    draft.digest = buffer
    draft.digestStart = digestAt
    draft.setId = setId
    draft.lastUpdate = Math.max(this.#now(), this.#floor)
    const partition = this.store.partitionOf(buffer, digestAt)
    draft.regime = this.store.regimeOf(partition)
    draft.sequence = this.store.nextSequence(partition)
  }

  /** A stored key stays; without one the request's is stored. */
  #draftKey(message: RequestMessage, exists: boolean): void {
    const draft = this.#draft
    const view = this.#view
    const stored = exists && view.keyEnd > view.keyStart
    draft.key = stored ? view.buffer : message.buffer
    draft.keyStart = stored ? view.keyStart : Math.max(0, message.keyStart)
    draft.keyEnd = stored ? view.keyEnd : Math.max(0, message.keyEnd)
  }

  #voidTime(ttl: number, exists: boolean, set: number): number {
    if (ttl === TTL_NEVER) return 0
    if (ttl === TTL_KEEP && exists) return this.#view.voidTime
    if (ttl !== TTL_DEFAULT && ttl !== TTL_KEEP) return this.#seconds() + ttl
    const fallback = this.#settingsOf(set).defaultTtl || this.settings.defaultTtl
    return fallback === 0 ? 0 : this.#seconds() + fallback
  }

  /** The size the real server would count. */
  #storedBytes(bins: number, set: number): number {
    const { keyStart, keyEnd, voidTime } = this.#draft
    const key = keyEnd > keyStart ? 1 + keyEnd - keyStart : 0
    const name = set > 0 ? 1 + nameBytes(this.store.sets[set]!.name) : 0
    return RECORD_OVERHEAD - BIN_OVERHEAD + bins + key + name + (voidTime > 0 ? 4 : 0)
  }

  #settingsOf(set: number): SetSettings {
    return (this.#setSettings[set] ??= newSetSettings())
  }
}

const nameBytes = ({ start, end }: Slice): number => end - start

/** A key has a type, and an integer eight bytes. */
function keyIsValid({ buffer, keyStart, keyEnd }: RequestMessage): boolean {
  if (keyStart < 0) return true
  return keyEnd > keyStart && (buffer[keyStart] !== INTEGER_KEY || keyEnd - keyStart === INTEGER_KEY_BYTES)
}
