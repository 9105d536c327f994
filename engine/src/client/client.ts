import { ClientError, invalid, shown } from '../protocol/client-error.ts'
import type { Expression } from '../protocol/expression.ts'
import type { Key } from '../protocol/key.ts'
import { Op } from '../protocol/message.ts'
import type { Operation } from '../protocol/operation-builder.ts'
import type { EmbeddedNode } from '../protocol/transport.ts'
import type { Value } from '../protocol/value-codec.ts'
import { ByteWriter } from '../values/byte-writer.ts'
import { ResultCode } from '../values/result-code.ts'
import type { AnswerMessage } from './answer-message.ts'
import { BatchCall, type RowResult } from './batch-call.ts'
import { Cluster } from './cluster.ts'
import {
  binsCommand,
  type Command,
  deleteCommand,
  headerCommand,
  NO_POLICY,
  operateCommand,
  readCommand,
  touchCommand,
} from './command.ts'
import { EmbeddedWay } from './embedded-way.ts'
import { askInfo } from './info-request.ts'
import {
  checkPolicy,
  checkTime,
  DEFAULT_CONNECT_TIMEOUT_MS,
  DEFAULT_TEND_INTERVAL_MS,
  DEFAULT_TIMEOUT_MS,
  type Policy,
  type ReadPolicy,
  type WritePolicy,
} from './policy.ts'
import {
  type ClientRecord,
  type Metadata,
  type OperateResult,
  readMetadata,
  readOperateResult,
  readRecord,
} from './record.ts'
import { type Reading, RecordCall, type Sender } from './record-call.ts'
import { type RecordForm, RecordSet } from './record-set.ts'
import type { BatchRow } from './request-writer.ts'
import { clientError, thrown } from './retry.ts'
import type { Routes } from './routes.ts'
import { TickReads } from './tick-reads.ts'
import { WayError } from './way.ts'

const FIRST_REQUEST_BYTES = 1024

export type BatchRequest =
  | { readonly read: Key; readonly bins?: readonly string[]; readonly filter?: Expression }
  | { readonly operate: Key; readonly ops: readonly Operation[]; readonly policy?: WritePolicy }
  | { readonly remove: Key; readonly policy?: WritePolicy }

export type BatchResult = RowResult<OperateResult>

export interface ConnectOptions {
  /** `host:port` of some nodes of the cluster; the others are learnt from them. */
  readonly hosts?: readonly string[]
  /** A node in this process, from `startNode`. */
  readonly node?: { readonly embedded: EmbeddedNode }
  /** ms for every request that has no time of its own; 2,000 unless told. */
  readonly timeout?: number
  /** ms to wait for a connection to stand, 1,000 unless told. */
  readonly connectTimeout?: number
  /** ms between looking for changes of the cluster, 1,000 unless told. */
  readonly tendInterval?: number
}

/**
 * Connects to a cluster, or to a node in this process.
 *
 * @example const client = await connect({ hosts: ['127.0.0.1:3000'] })
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  const { hosts, node, timeout = DEFAULT_TIMEOUT_MS } = options
  const { connectTimeout = DEFAULT_CONNECT_TIMEOUT_MS, tendInterval = DEFAULT_TEND_INTERVAL_MS } = options
  checkTime('timeout', timeout)
  checkTime('connectTimeout', connectTimeout)
  checkTime('tendInterval', tendInterval)
  if (node) {
    const way = new EmbeddedWay(node.embedded)
    return new Client({ wayOf: () => way, anyWay: () => way, close: () => way.close() }, timeout)
  }
  if (!Array.isArray(hosts) || hosts.length === 0)
    invalid(`connect needs hosts, such as ['127.0.0.1:3000'], or a node, not ${shown(hosts)}`)
  return new Client(await Cluster.connect({ hosts, timeout, connectTimeout, tendInterval }), timeout)
}

const RECORD: Reading<ClientRecord | undefined> = { found: readRecord, missing: { answer: undefined } }
const METADATA: Reading<Metadata | undefined> = { found: readMetadata, missing: { answer: undefined } }
const WRITTEN: Reading<Metadata> = { found: readMetadata }
const REMOVED: Reading<boolean> = { found: () => true, missing: { answer: false } }
const OPERATED: Reading<OperateResult> = {
  found: (message, { operations }) => readOperateResult(message, operations),
}

/**
 * Every call answers a promise, rejected with a `ClientError` alone. Bins and steps are read when a request is
 * written, which may be again for a further try: leave them as they are until the promise is settled.
 */
export class Client {
  readonly #sender: Sender
  readonly #tickReads: TickReads

  /** Use `connect`. */
  constructor(routes: Routes, timeout: number) {
    this.#sender = { routes, timeout, request: new ByteWriter(FIRST_REQUEST_BYTES) }
    this.#tickReads = new TickReads(this.#sender)
  }

  /** Undefined when there is no such record. */
  get(key: Key, policy: ReadPolicy = NO_POLICY): Promise<ClientRecord | undefined> {
    if (policy.batched) return this.#getBatched(key, policy)
    return this.#call(key, () => readCommand(policy.bins, policy), RECORD)
  }

  /**
   * As `get`, but where the answer is there at once, as from a node in this process, it is answered without a promise,
   * and what `get` would reject with is thrown. For the few routes where a turn of promises costs as much as the read.
   *
   * @example
   * const found = client.getNow(key)
   * return found instanceof Promise ? found.then(page) : page(found)
   */
  getNow(
    key: Key,
    policy: Omit<ReadPolicy, 'batched'> = NO_POLICY,
  ): ClientRecord | undefined | Promise<ClientRecord | undefined> {
    try {
      return new RecordCall(this.#sender, key, readCommand(policy.bins, policy), RECORD).runNow()
    } catch (error) {
      throw thrown(error)
    }
  }

  /**
   * In the order of the keys; undefined where there is no such record, or where the filter leaves it out. Fails when
   * a row has failed; `getEach` says which, and keeps the others.
   */
  async getMany(keys: readonly Key[], policy: ReadPolicy = NO_POLICY): Promise<(ClientRecord | undefined)[]> {
    const rows = await this.getEach(keys, policy)
    return rows.map((row) => {
      if (row instanceof ClientError) throw row
      return row
    })
  }

  /** As `getMany`, with the error in its place where a row has failed. */
  async getEach(
    keys: readonly Key[],
    policy: ReadPolicy = NO_POLICY,
  ): Promise<(ClientRecord | ClientError | undefined)[]> {
    const command = readCommand(policy.bins, policy)
    const rows = keys.map((key): BatchRow => ({ key, command }))
    const results = await new BatchCall(this.#sender, rows, policy, readRecord).run()
    return results.map(({ code, record, message }, i) => {
      if (record || code === ResultCode.NOT_FOUND || code === ResultCode.FILTERED_OUT) return record
      return new ClientError(code, { key: keys[i], message })
    })
  }

  /** Undefined when there is no such record. */
  exists(key: Key, policy: Omit<ReadPolicy, 'bins' | 'batched'> = NO_POLICY): Promise<Metadata | undefined> {
    return this.#call(key, () => headerCommand(policy), METADATA)
  }

  /** A bin set to null or undefined is removed; other bins stay unless the policy replaces the record. */
  put(key: Key, bins: Readonly<Record<string, Value>>, policy: WritePolicy = NO_POLICY): Promise<Metadata> {
    return this.#call(key, () => binsCommand(Op.WRITE, bins, policy, 'put'), WRITTEN)
  }

  /** False when there was no such record. */
  remove(key: Key, policy: WritePolicy = NO_POLICY): Promise<boolean> {
    return this.#call(key, () => deleteCommand(policy), REMOVED)
  }

  touch(key: Key, policy: WritePolicy = NO_POLICY): Promise<Metadata> {
    return this.#call(key, () => touchCommand(policy), WRITTEN)
  }

  add(
    key: Key,
    deltas: Readonly<Record<string, number | bigint>>,
    policy: WritePolicy = NO_POLICY,
  ): Promise<Metadata> {
    return this.#call(key, () => binsCommand(Op.INCR, deltas, policy, 'add'), WRITTEN)
  }

  append(
    key: Key,
    bins: Readonly<Record<string, string | Buffer>>,
    policy: WritePolicy = NO_POLICY,
  ): Promise<Metadata> {
    return this.#call(key, () => binsCommand(Op.APPEND, bins, policy, 'append'), WRITTEN)
  }

  prepend(
    key: Key,
    bins: Readonly<Record<string, string | Buffer>>,
    policy: WritePolicy = NO_POLICY,
  ): Promise<Metadata> {
    return this.#call(key, () => binsCommand(Op.PREPEND, bins, policy, 'prepend'), WRITTEN)
  }

  /** Many steps on one record, all or nothing. Fails with NOT_FOUND where steps that only read find no record. */
  operate(key: Key, ops: readonly Operation[], policy: WritePolicy = NO_POLICY): Promise<OperateResult> {
    return this.#call(key, () => operateCommand(ops, policy), OPERATED)
  }

  /** Reads and writes of many records, grouped by node; one result a row, in their order. */
  async batch(requests: readonly BatchRequest[], policy: Policy = NO_POLICY): Promise<BatchResult[]> {
    checkPolicy(policy)
    return new BatchCall(this.#sender, requests.map(rowOf), policy, readRow).run()
  }

  /** The records of one set whose bins have one form, checked when they are read. */
  records<T extends { readonly [Name in keyof T]: Value }>(form: RecordForm<T>): RecordSet<T> {
    return new RecordSet(this, form)
  }

  /** The answer of one node to one info command. */
  async info(command: string): Promise<string> {
    const { routes, timeout } = this.#sender
    try {
      const answers = await askInfo(routes.anyWay(), [command], timeout)
      return answers.get(command) ?? ''
    } catch (error) {
      throw error instanceof WayError ? clientError(error, undefined, false) : error
    }
  }

  /** What is under way fails with CLOSED. */
  async close(): Promise<void> {
    this.#sender.routes.close()
  }

  async #getBatched(key: Key, policy: ReadPolicy): Promise<ClientRecord | undefined> {
    checkPolicy(policy)
    const { bins, filter, readMode, replicas, touchPercent } = policy
    const isPlain = !filter && !readMode && !replicas && touchPercent === undefined
    return this.#tickReads.get(key, readCommand(bins, isPlain ? NO_POLICY : policy), policy)
  }

  #call<T>(key: Key, command: () => Command, reading: Reading<T>): Promise<T> {
    try {
      return new RecordCall(this.#sender, key, command(), reading).run()
    } catch (error) {
      return Promise.reject(thrown(error))
    }
  }
}

function readRow(message: AnswerMessage, { command }: BatchRow): OperateResult {
  return readOperateResult(message, command.operations)
}

function rowOf(request: BatchRequest): BatchRow {
  if ('read' in request) {
    const { read, bins, filter } = request
    return { key: read, command: readCommand(bins, filter ? { filter } : NO_POLICY) }
  }
  if ('operate' in request)
    return { key: request.operate, command: operateCommand(request.ops, request.policy ?? NO_POLICY) }
  if ('remove' in request) return { key: request.remove, command: deleteCommand(request.policy ?? NO_POLICY) }
  return invalid(`a row of a batch has read, operate or remove, not ${shown(request)}`)
}
