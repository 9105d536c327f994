import type { Namespace, Outcome } from '../namespace/namespace.ts'
import { AnswerWriter } from '../protocol/answer-writer.ts'
import { Info1, Info2, MESSAGE_HEADER_BYTES, RequestMessage } from '../protocol/message.ts'
import type { ResponseBuffer } from '../protocol/response.ts'
import { sameBytes } from '../values/byte-equality.ts'
import type { Slice } from '../values/particle.ts'
import { ResultCode } from '../values/result-code.ts'
import { BatchRun, type BatchRows } from './batch-run.ts'
import type { Latencies } from './latency.ts'
import { JUST_NOW, type MessageHandler, type UnfinishedAnswer } from './service.ts'
import type { SyncLedger } from './sync-ledger.ts'

/** What of the dispatcher can be changed while the node runs. */
export interface DispatchLimits {
  transactionMaxMs: number
  /** Rows of one batch; 0 = any number. */
  batchMaxRequests: number
}

/** A namespace, and the requests it answered since they were last taken. */
interface Target {
  readonly number: number
  readonly name: Slice
  readonly namespace: Namespace
  reads: number
  writes: number
  batchReads: number
  batchWrites: number
}

/** Brings record messages and batches to their namespaces. */
export class Dispatcher implements MessageHandler {
  readonly limits: DispatchLimits
  readonly #namespaces: readonly Target[]
  readonly #clock: () => number
  readonly #ledger: SyncLedger
  readonly #rows: BatchRows = {
    knows: (message) => this.#target(message) !== undefined,
    execute: (message) => {
      const target = this.#target(message)
      if (!target) return undefined
      if (message.info2 & Info2.WRITE) target.batchWrites++
      else target.batchReads++
      return this.#execute(target, message)
    },
  }
  #message = new RequestMessage()
  #batch = new BatchRun(this.#rows)
  #unfinished: UnfinishedAnswer | undefined
  #answer: AnswerWriter | undefined
  /** What the request that is worked on has come to. */
  #asked: Namespace | undefined

  /** `ledger` counts the namespaces' stores in the same order. */
  constructor(
    namespaces: readonly Namespace[],
    limits: DispatchLimits,
    clock: () => number,
    ledger: SyncLedger,
  ) {
    this.#namespaces = namespaces.map((namespace, number) => {
      const buffer = Buffer.from(namespace.name)
      return {
        number,
        name: { buffer, start: 0, end: buffer.length },
        namespace,
        reads: 0,
        writes: 0,
        batchReads: 0,
        batchWrites: 0,
      }
    })
    this.#ledger = ledger
    this.limits = limits
    this.#clock = clock
  }

  /** Appends the answer to one type-3 body to `out`; the result is the ticket it waits for, 0 = it may leave at once. */
  dispatch(request: Buffer, start: number, end: number, arrived: number, out: ResponseBuffer): number {
    const message = this.#message
    const answer = (this.#answer ??= new AnswerWriter(out))
    this.#asked = undefined
    const isBatch = end - start >= MESSAGE_HEADER_BYTES && (request[start + 1]! & Info1.BATCH) !== 0
    if (!message.parse(request, start, end)) {
      answer.single(out, ResultCode.PARAMETER, isBatch)
      return 0
    }
    if (
      arrived !== JUST_NOW &&
      this.#clock() - arrived > (message.transactionTtl || this.limits.transactionMaxMs)
    )
      answer.single(out, ResultCode.TIMEOUT, isBatch)
    else if (isBatch) this.#runBatch(out)
    else this.#runSingle(out)
    return this.#ledger.take()
  }

  get mayHaveWritten(): boolean {
    return this.#asked?.mayHaveChanged === true
  }

  takeUnfinished(): UnfinishedAnswer | undefined {
    const unfinished = this.#unfinished
    this.#unfinished = undefined
    return unfinished
  }

  /** Enters all requests and rows since the last call as having taken this long; `latencies` by namespace. */
  enterTimes(micros: number, latencies: readonly Latencies[]): void {
    for (const target of this.#namespaces) {
      const { reads, writes, batchReads, batchWrites } = target
      if (reads + writes + batchReads + batchWrites === 0) continue
      const of = latencies[target.number]!
      const now = this.#clock()
      if (reads > 0) of.read.add(micros, reads, now)
      if (writes > 0) of.write.add(micros, writes, now)
      if (batchReads > 0) of.of('batch-sub-read').add(micros, batchReads, now)
      if (batchWrites > 0) of.of('batch-sub-write').add(micros, batchWrites, now)
      target.reads = target.writes = target.batchReads = target.batchWrites = 0
    }
  }

  #runSingle(out: ResponseBuffer): void {
    const message = this.#message
    const answer = this.#answer!
    const target = this.#target(message)
    if (!target) return answer.single(out, ResultCode.INVALID_NAMESPACE, false)
    if (message.info2 & Info2.WRITE) target.writes++
    else target.reads++
    if (message.digestAt < 0 && message.isScan) return answer.single(out, ResultCode.UNSUPPORTED, false)
    answer.beginFrame(out)
    answer.beginMessage()
    const { code, generation, voidTime } = this.#execute(target, message)
    answer.endMessage(code, generation, voidTime, 0)
    answer.endFrame()
  }

  /** What the answer tells must not be undone by a power failure, a read's as little as a write's. */
  #execute({ namespace, number }: Target, message: RequestMessage): Outcome {
    this.#asked = namespace
    const outcome = namespace.execute(message, this.#answer!)
    const position = namespace.store.foundPosition
    if (position > 0) this.#ledger.need(number, position)
    return outcome
  }

  #target({ buffer, namespaceStart, namespaceEnd }: RequestMessage): Target | undefined {
    if (namespaceStart < 0) return undefined
    for (const target of this.#namespaces)
      if (sameBytes(buffer, namespaceStart, namespaceEnd, target.name)) return target
    return undefined
  }

  #runBatch(out: ResponseBuffer): void {
    const batch = this.#batch
    const answer = this.#answer!
    if (!batch.open(this.#message, answer)) return answer.single(out, ResultCode.PARAMETER, true)
    if (this.limits.batchMaxRequests > 0 && batch.count > this.limits.batchMaxRequests)
      return answer.single(out, ResultCode.BATCH_TOO_LARGE, true)
    if (batch.run(out)) return
    this.#unfinished = new UnfinishedBatch(batch, this.#ledger)
    this.#message = new RequestMessage()
    this.#batch = new BatchRun(this.#rows)
  }
}

/** A batch whose rows wait for room for their answers. */
class UnfinishedBatch implements UnfinishedAnswer {
  started = 0
  readonly #batch: BatchRun
  readonly #ledger: SyncLedger
  done = false

  constructor(batch: BatchRun, ledger: SyncLedger) {
    this.#batch = batch
    this.#ledger = ledger
  }

  keepRequest(): void {
    this.#batch.keepRequest()
  }

  resume(out: ResponseBuffer): number {
    this.done = this.#batch.run(out)
    return this.#ledger.take()
  }

  fail(out: ResponseBuffer): void {
    this.done = true
    this.#batch.fail(out, ResultCode.SERVER_ERROR)
  }
}
