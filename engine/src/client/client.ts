import type { Expression } from '../protocol/expression-builder.ts'
import type { Operation } from '../protocol/operation-builder.ts'
import { op } from '../protocol/operation-builder.ts'
import type { EmbeddedNode } from '../protocol/transport.ts'
import type { Value } from '../protocol/value-codec.ts'
import { ByteWriter } from '../values/byte-writer.ts'
import { DIGEST_BYTES, partitionOf, writeDigest } from '../values/digest.ts'
import { ResultCode } from '../values/result-code.ts'
import { type Answer, readAnswers } from './answer-reader.ts'
import { ClientCode, ClientError } from './client-error.ts'
import { Cluster, type Routes } from './cluster.ts'
import { EmbeddedWay } from './embedded-way.ts'
import { askInfo } from './info-request.ts'
import type { Key } from './key.ts'
import {
  DEFAULT_READ_RETRIES,
  DEFAULT_TIMEOUT_MS,
  type Policy,
  type ReadPolicy,
  type WritePolicy,
} from './policy.ts'
import {
  type BatchRow,
  type Command,
  deleteCommand,
  headerCommand,
  operateCommand,
  readCommand,
  writeBatchRequest,
  writeCommand,
  writeRecordRequest,
} from './request-writer.ts'
import { type Lane, type Way, WayError } from './way.ts'

const EPOCH_2010_S = 1_262_304_000
const RETRY_PAUSE_MS = 10

export interface Metadata {
  readonly generation: number
  /** Seconds since 2010-01-01 UTC; 0 = never. */
  readonly voidTime: number
  /** Seconds left, or `never`. */
  readonly ttl: number | 'never'
}

export interface ClientRecord extends Metadata {
  readonly bins: Readonly<Record<string, unknown>>
}

export interface OperateResult extends ClientRecord {
  /** One per step, in their order; undefined for what answers nothing. */
  readonly results: readonly unknown[]
}

export type BatchRequest =
  | { readonly read: Key; readonly bins?: readonly string[]; readonly filter?: Expression }
  | { readonly operate: Key; readonly ops: readonly Operation[]; readonly policy?: WritePolicy }
  | { readonly remove: Key; readonly policy?: WritePolicy }

export interface BatchResult {
  /** Result code of this row. */
  readonly code: number
  /** Present when the row succeeded. */
  readonly record?: OperateResult
}

export interface ConnectOptions {
  /** `host:port` of some nodes of the cluster; the others are learnt from them. */
  readonly hosts?: readonly string[]
  /** A node in this process, from `startNode`. */
  readonly node?: { readonly embedded: EmbeddedNode }
  /** ms for everything that has no time of its own. */
  readonly timeout?: number
}

/** @example const client = await connect({ hosts: ['127.0.0.1:3000'] }) */
export async function connect(options: ConnectOptions): Promise<Client> {
  const timeout = options.timeout ?? DEFAULT_TIMEOUT_MS
  if (options.node) {
    const way = new EmbeddedWay(options.node.embedded)
    return new Client({ wayOf: () => way, anyWay: () => way, close: () => way.close() }, timeout)
  }
  if (!options.hosts || options.hosts.length === 0)
    throw new ClientError(ClientCode.INVALID, {
      message: "connect needs hosts: ['127.0.0.1:3000'] or a node",
    })
  return new Client(await Cluster.connect(options.hosts, timeout), timeout)
}

export class Client {
  readonly #routes: Routes
  readonly #timeout: number
  readonly #request = new ByteWriter(1024)
  readonly #digest = Buffer.alloc(DIGEST_BYTES)

  /** Use `connect`. */
  constructor(routes: Routes, timeout: number) {
    this.#routes = routes
    this.#timeout = timeout
  }

  /** Undefined when there is no such record. */
  async get(key: Key, policy: ReadPolicy = {}): Promise<ClientRecord | undefined> {
    const answer = await this.#read(key, readCommand(policy.bins, policy))
    return answer && recordOf(answer)
  }

  /** In the order of the keys; undefined where there is no such record. */
  async getMany(keys: readonly Key[], policy: ReadPolicy = {}): Promise<(ClientRecord | undefined)[]> {
    const command = readCommand(policy.bins, policy)
    const results = await this.#rows(
      keys.map((key) => ({ key, command })),
      policy,
    )
    return results.map(({ code, record }, i) => {
      if (record) return record
      if (code === ResultCode.NOT_FOUND) return undefined
      throw new ClientError(code, { key: keys[i] })
    })
  }

  /** Undefined when there is no such record. */
  async exists(key: Key, policy: Policy = {}): Promise<Metadata | undefined> {
    const answer = await this.#read(key, headerCommand(policy))
    return answer && metadataOf(answer)
  }

  /** A bin set to null or undefined is removed; other bins stay unless the policy replaces the record. */
  async put(key: Key, bins: Readonly<Record<string, Value>>, policy: WritePolicy = {}): Promise<Metadata> {
    const operations = Object.entries(bins).map(([bin, value]) => op.write(bin, value))
    return metadataOf(await this.#write(key, writeCommand(operations, policy)))
  }

  /** False when there was no such record. */
  async remove(key: Key, policy: WritePolicy = {}): Promise<boolean> {
    try {
      await this.#write(key, deleteCommand(policy))
      return true
    } catch (error) {
      if (error instanceof ClientError && error.code === ResultCode.NOT_FOUND) return false
      throw error
    }
  }

  async touch(key: Key, policy: WritePolicy = {}): Promise<Metadata> {
    return metadataOf(await this.#write(key, writeCommand([op.touch()], policy)))
  }

  async add(
    key: Key,
    deltas: Readonly<Record<string, number | bigint>>,
    policy: WritePolicy = {},
  ): Promise<Metadata> {
    const operations = Object.entries(deltas).map(([bin, delta]) => op.add(bin, delta))
    return metadataOf(await this.#write(key, writeCommand(operations, policy)))
  }

  async append(
    key: Key,
    bins: Readonly<Record<string, string | Buffer>>,
    policy: WritePolicy = {},
  ): Promise<Metadata> {
    const operations = Object.entries(bins).map(([bin, value]) => op.append(bin, value))
    return metadataOf(await this.#write(key, writeCommand(operations, policy)))
  }

  async prepend(
    key: Key,
    bins: Readonly<Record<string, string | Buffer>>,
    policy: WritePolicy = {},
  ): Promise<Metadata> {
    const operations = Object.entries(bins).map(([bin, value]) => op.prepend(bin, value))
    return metadataOf(await this.#write(key, writeCommand(operations, policy)))
  }

  /** Many steps on one record, all or nothing. Fails with NOT_FOUND where steps that only read find no record. */
  async operate(key: Key, ops: readonly Operation[], policy: WritePolicy = {}): Promise<OperateResult> {
    const command = operateCommand(ops, policy)
    const answer =
      (command.info2 & 1) !== 0 ? await this.#write(key, command) : await this.#read(key, command)
    if (!answer) throw new ClientError(ResultCode.NOT_FOUND, { key })
    return operateResult(answer, ops)
  }

  /** Reads and writes of many records, grouped by node; one result a row, in their order. */
  batch(requests: readonly BatchRequest[], policy: Policy = {}): Promise<BatchResult[]> {
    return this.#rows(requests.map(rowOf), policy)
  }

  /** The answer of one node to one info command. */
  async info(command: string): Promise<string> {
    try {
      const answers = await askInfo(this.#routes.anyWay(), [command], this.#timeout)
      return answers.get(command) ?? ''
    } catch (error) {
      throw clientError(error, undefined, false)
    }
  }

  async close(): Promise<void> {
    this.#routes.close()
  }

  async #read(key: Key, command: Command): Promise<Answer | undefined> {
    const answer = await this.#send(key, command, 'read')
    return answer.code === ResultCode.NOT_FOUND ? undefined : succeed(answer, key, false)
  }

  async #write(key: Key, command: Command): Promise<Answer> {
    return succeed(await this.#send(key, command, 'write'), key, true)
  }

  /** One command with its tries. A write that may have been begun is not sent again: its failure is in doubt. */
  async #send(key: Key, command: Command, lane: 'read' | 'write'): Promise<Answer> {
    const { timeout = this.#timeout, retries = DEFAULT_READ_RETRIES } = command.policy
    const deadline = performance.now() + timeout
    for (let tried = 0; ; tried++) {
      const left = Math.max(1, deadline - performance.now())
      try {
        const answer = await this.#once(key, command, lane, left)
        if (!mayRetryCode(answer.code, lane) || tried >= retries || performance.now() >= deadline)
          return answer
      } catch (error) {
        if (!(error instanceof WayError)) throw error
        const again = error.kind !== 'closed' && (lane === 'read' || !error.sent)
        if (!again || tried >= retries || performance.now() + RETRY_PAUSE_MS >= deadline)
          throw clientError(error, key, lane === 'write' && error.sent)
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS << Math.min(tried, 5)))
    }
  }

  async #once(key: Key, command: Command, lane: Lane, timeout: number): Promise<Answer> {
    this.#request.length = 0
    writeRecordRequest(this.#request, key, command, Math.ceil(timeout))
    const bytes = await this.#wayOf(key).send(this.#request, lane, timeout)
    const answer = readAnswers(bytes, 0, bytes.length)[0]
    if (!answer) throw new WayError('connection', true, 'an empty answer')
    return answer
  }

  #wayOf(key: Key): Way {
    writeDigest(this.#digest, 0, key.set ?? '', key.key)
    return this.#routes.wayOf(key.namespace, partitionOf(this.#digest, 0))
  }

  async #rows(rows: readonly BatchRow[], policy: Policy): Promise<BatchResult[]> {
    const byWay = new Map<Way, number[]>()
    rows.forEach((row, i) => {
      const way = this.#wayOf(row.key)
      const group = byWay.get(way)
      if (group) group.push(i)
      else byWay.set(way, [i])
    })
    const results = new Array<BatchResult>(rows.length)
    await Promise.all(
      [...byWay].map(async ([way, group]) => {
        const answers = await this.#group(
          way,
          group.map((i) => rows[i]!),
          policy.timeout ?? this.#timeout,
        )
        for (const answer of answers) {
          const place = group[answer.row]
          if (answer.last || place === undefined) continue
          const { code } = answer
          results[place] =
            code === ResultCode.OK
              ? { code, record: operateResult(answer, rows[place]!.command.operations) }
              : { code }
        }
      }),
    )
    return results
  }

  async #group(way: Way, rows: readonly BatchRow[], timeout: number): Promise<Answer[]> {
    const writes = rows.some(({ command }) => (command.info2 & 1) !== 0)
    this.#request.length = 0
    writeBatchRequest(this.#request, rows, timeout)
    let bytes: Buffer
    try {
      bytes = await way.send(this.#request, 'batch', timeout)
    } catch (error) {
      throw clientError(error, undefined, writes && error instanceof WayError && error.sent)
    }
    const answers = readAnswers(bytes, 0, bytes.length)
    const end = answers.at(-1)
    if (answers.length - 1 < rows.length)
      throw new ClientError(end?.code || ResultCode.SERVER_ERROR, { message: 'the batch was refused' })
    return answers
  }
}

/** Codes that say the request was not begun and may go elsewhere or be sent again. */
function mayRetryCode(code: number, lane: 'read' | 'write'): boolean {
  if (code === ResultCode.PARTITION_UNAVAILABLE || code === ResultCode.DEVICE_OVERLOAD) return true
  return lane === 'read' && code === ResultCode.TIMEOUT
}

function succeed(answer: Answer, key: Key, writes: boolean): Answer {
  if (answer.code === ResultCode.OK) return answer
  throw new ClientError(answer.code, { key, inDoubt: writes && answer.code === ResultCode.TIMEOUT })
}

function clientError(error: unknown, key: Key | undefined, inDoubt: boolean): unknown {
  if (!(error instanceof WayError)) return error
  const code = {
    timeout: ResultCode.TIMEOUT,
    connection: ClientCode.CONNECTION,
    full: ClientCode.QUEUE_FULL,
    closed: ClientCode.CLOSED,
  }[error.kind]
  return new ClientError(code, { message: error.message, key, inDoubt })
}

function metadataOf({ generation, voidTime }: Answer): Metadata {
  const now = Date.now() / 1000 - EPOCH_2010_S
  return { generation, voidTime, ttl: voidTime === 0 ? 'never' : Math.max(1, Math.round(voidTime - now)) }
}

function recordOf(answer: Answer): ClientRecord {
  const bins: Record<string, unknown> = {}
  answer.names.forEach((name, i) => {
    if (answer.values[i] !== null || !(name in bins)) bins[name] = answer.values[i]
  })
  return { ...metadataOf(answer), bins }
}

/** A touch is never answered, so the answers after it stand one step earlier. */
function operateResult(answer: Answer, ops: readonly Operation[]): OperateResult {
  const touch = op.touch().op
  let next = 0
  const results = ops.map((step) => (step.op === touch ? undefined : (answer.values[next++] ?? undefined)))
  return { ...recordOf(answer), results }
}

function rowOf(request: BatchRequest): BatchRow {
  if ('read' in request) {
    const { read, bins, filter } = request
    return { key: read, command: readCommand(bins, filter ? { filter } : {}) }
  }
  if ('operate' in request)
    return { key: request.operate, command: operateCommand(request.ops, request.policy ?? {}) }
  return { key: request.remove, command: deleteCommand(request.policy ?? {}) }
}
