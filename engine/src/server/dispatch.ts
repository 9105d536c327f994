import type { Namespace, Outcome } from '../namespace/namespace.ts'
import { AnswerWriter } from '../protocol/answer-writer.ts'
import type { ClusteredNamespace, InPlaceMaster } from '../cluster/clustered-namespace.ts'
import { Info1, Info2, Info3, MESSAGE_HEADER_BYTES, RequestMessage } from '../protocol/message.ts'
import { recordRequest } from '../protocol/record-request.ts'
import type { ResponseBuffer } from '../protocol/response.ts'
import { sameBytes } from '../values/byte-equality.ts'
import type { Slice } from '../values/particle.ts'
import { ResultCode } from '../values/result-code.ts'
import { BatchRun } from './batch-run.ts'
import { answersAlone, partitionOf, sequenceOf, type ClusterEntrance } from './cluster-entrance.ts'
import { DEFERRED, DeferredAnswer } from './deferred-answer.ts'
import type { Latencies } from './latency.ts'
import { LaterBatch } from './later-batch.ts'
import { LaterRows } from './later-rows.ts'
import { InPlaceWrites } from './in-place-writes.ts'
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
  /** Only in a cluster. */
  clustered: ClusteredNamespace | undefined
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
  #message = new RequestMessage()
  #cluster: ClusterEntrance | undefined
  #later: LaterRows | undefined
  #batch = this.#newBatch()
  #deferred: DeferredAnswer | undefined
  readonly #writes = new InPlaceWrites()
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
        clustered: undefined,
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

  /** From now on records are where the cluster says. */
  join(cluster: ClusterEntrance): void {
    this.#cluster = cluster
    for (const target of this.#namespaces) target.clustered = cluster.namespace(target.namespace.name)
    this.#batch = this.#newBatch()
  }

  /** Appends the answer to one type-3 body to `out`; the result is as of `MessageHandler`. */
  dispatch(request: Buffer, start: number, end: number, arrived: number, out: ResponseBuffer): number {
    const message = this.#message
    const answer = (this.#answer ??= new AnswerWriter(out))
    this.#asked = undefined
    const isBatch = end - start >= MESSAGE_HEADER_BYTES && (request[start + 1]! & Info1.BATCH) !== 0
    if (!message.parse(request, start, end)) {
      answer.single(out, ResultCode.PARAMETER, isBatch)
      return 0
    }
    const time = message.transactionTtl || this.limits.transactionMaxMs
    const now = arrived === JUST_NOW ? -Infinity : this.#clock()
    const left = arrived === JUST_NOW ? time : time - (now - arrived)
    if (left < 0) answer.single(out, ResultCode.TIMEOUT, isBatch)
    else if (isBatch) this.#runBatch(out, left)
    else this.#runSingle(out, { start, end, left, now })
    const ticket = this.#ledger.take()
    if (!this.#deferred) return ticket
    this.#deferred.ticket ||= ticket
    return DEFERRED
  }

  takeDeferred(): DeferredAnswer | undefined {
    const deferred = this.#deferred
    this.#deferred = undefined
    return deferred
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
  enterTimes(micros: number, now: number, latencies: readonly Latencies[]): void {
    for (const target of this.#namespaces) {
      const { reads, writes, batchReads, batchWrites } = target
      if (reads + writes + batchReads + batchWrites === 0) continue
      const of = latencies[target.number]!
      if (reads > 0) of.read.add(micros, reads, now)
      if (writes > 0) of.write.add(micros, writes, now)
      if (batchReads > 0) of.of('batch-sub-read').add(micros, batchReads, now)
      if (batchWrites > 0) of.of('batch-sub-write').add(micros, batchWrites, now)
      target.reads = target.writes = target.batchReads = target.batchWrites = 0
    }
  }

  #runSingle(out: ResponseBuffer, body: { start: number; end: number; left: number; now: number }): void {
    const message = this.#message
    const answer = this.#answer!
    const target = this.#target(message)
    if (!target) return answer.single(out, ResultCode.INVALID_NAMESPACE, false)
    if (message.info2 & Info2.WRITE) target.writes++
    else target.reads++
    if (message.digestAt < 0 && message.isScan) return answer.single(out, ResultCode.UNSUPPORTED, false)
    const { namespace, clustered } = target
    let master: InPlaceMaster | undefined
    if (clustered && !answersAlone(message, namespace, clustered)) {
      master = this.#writes.isFull ? undefined : clustered.masterOf(partitionOf(message, namespace))?.inPlace
      if (!master) return this.#passOn(namespace.name, out, body)
    }
    const before = master ? sequenceOf(message, namespace) : 0
    answer.beginFrame(out)
    answer.beginMessage()
    const { code, generation, voidTime } = this.#execute(target, message, body.now)
    answer.endMessage(code, generation, voidTime, 0)
    answer.endFrame()
    if (!master) return
    const sequence = sequenceOf(message, namespace)
    if (sequence === before) return
    if (master.hasReplicas) this.#replicate(master, body.left)
    else master.wroteAlone(sequence)
  }

  /** What was written of the answer leaves when the replicas have the record. */
  #replicate(master: InPlaceMaster, left: number): void {
    const { buffer, digestAt, digestEnd, info3 } = this.#message
    const now = performance.now()
    const version = master.newest(buffer.subarray(digestAt, digestEnd))
    if (!version) throw new Error('a write has left no version')
    this.#cluster!.wake()
    if (info3 & Info3.COMMIT_MASTER) return master.wrote(now, version, undefined)
    const write = this.#writes.open(version, now + left)
    master.wrote(now, version, write)
    if (!write.answer.ended) this.#deferred = write.answer
  }

  /** Hands a request to the cluster, which answers it now or later. */
  #passOn(
    namespace: string,
    out: ResponseBuffer,
    { start, end, left }: { start: number; end: number; left: number },
  ): void {
    const cluster = this.#cluster!
    const body = Buffer.from(this.#message.buffer.subarray(start, end))
    const deferred = new DeferredAnswer(body.length)
    const answer = (frame: Buffer): void => deferred.end(frame)
    const id = cluster.submit({ namespace, body, time: left, answer })
    if (deferred.instead) return out.append(deferred.instead)
    deferred.onDropped = () => cluster.cancel(id)
    this.#deferred = deferred
  }

  /** What the answer tells must not be undone by a power failure, a read's as little as a write's. */
  #execute({ namespace, number }: Target, message: RequestMessage, now?: number): Outcome {
    this.#asked = namespace
    const outcome = namespace.execute(message, this.#answer!, now)
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

  #newBatch(): BatchRun {
    const cluster = this.#cluster
    const later = cluster && new LaterRows((id) => cluster.cancel(id))
    this.#later = later
    return new BatchRun({
      laterRows: later,
      knows: (message) => this.#target(message) !== undefined,
      execute: (message, index) => {
        const target = this.#target(message)
        if (!target) return undefined
        if (message.info2 & Info2.WRITE) target.batchWrites++
        else target.batchReads++
        const { namespace, clustered } = target
        if (!later || !clustered || answersAlone(message, namespace, clustered))
          return this.#execute(target, message)
        this.#askForRow(later, namespace.name, message, index)
        return 'later'
      },
    })
  }

  #askForRow(later: LaterRows, namespace: string, message: RequestMessage, index: number): void {
    const isRead = (message.info2 & Info2.WRITE) === 0
    const body = recordRequest(message)
    const time = later.deadline - this.#clock()
    later.ask(index, isRead, (answer) =>
      this.#cluster!.submit({ namespace, body, time, isRow: true, answer }),
    )
  }

  /** `left` in milliseconds is what the client still waits. */
  #runBatch(out: ResponseBuffer, left: number): void {
    // An exception has ended a batch half-way.
    if (this.#later?.isUsed) this.#batch = this.#newBatch()
    const batch = this.#batch
    const answer = this.#answer!
    if (!batch.open(this.#message, answer)) return answer.single(out, ResultCode.PARAMETER, true)
    if (this.limits.batchMaxRequests > 0 && batch.count > this.limits.batchMaxRequests)
      return answer.single(out, ResultCode.BATCH_TOO_LARGE, true)
    const later = this.#later
    if (later) later.deadline = this.#clock() + left
    const begin = out.length
    const isRun = batch.run(out)
    if (isRun && !later?.isUsed) return
    this.#batch = this.#newBatch()
    // Where it was refused, what was asked for elsewhere is told to nobody.
    if (isRun && !later?.isOpen) return
    if (isRun && later?.waiting === 0) {
      later.tell(answer, out)
      return batch.finish(out)
    }
    this.#message = new RequestMessage()
    if (!later) {
      this.#unfinished = new UnfinishedBatch(batch, this.#ledger)
      return
    }
    const bytes = Buffer.from(out.buffer.subarray(begin, out.length))
    out.length = begin
    const ledger = this.#ledger
    const onFault = (error: unknown): void => this.#cluster!.onFault(error)
    const parts = { batch, later, ledger, onFault }
    this.#deferred = new LaterBatch(parts, { bytes, ticket: ledger.take(), isRun }).answer
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
