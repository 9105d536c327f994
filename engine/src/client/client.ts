import type { EmbeddedNode } from '../protocol/transport.ts'
import { ResultCode } from '../values/result-code.ts'
import type { Value } from './bin-value.ts'
import type { Lane } from './lane.ts'
import { EmbeddedLane, SocketLane } from './lane.ts'
import type { Key, RecordAnswer, RequestHeader, RequestOp } from './record-frame.ts'
import { recordAnswer, recordFrame, secondsLeft } from './record-frame.ts'

export type { Value } from './bin-value.ts'
export type { Key } from './record-frame.ts'

const DEFAULT_TIMEOUT_MS = 1000
const READ = 1
const WRITE = 2
const TTL_NEVER = 0xffffffff
const TTL_KEEP = 0xfffffffe

/** A request that a node refused; `code` as in the protocol's table. */
export class ClientError extends Error {
  readonly code: number
  readonly key: Key

  constructor(code: number, key: Key) {
    const reason = Object.entries(ResultCode).find(([, value]) => value === code)?.[0] ?? 'UNKNOWN'
    super(`${reason} (${code}) for ${key.namespace}.${key.set ?? ''} ${String(key.key)}`)
    this.name = 'ClientError'
    this.code = code
    this.key = key
  }
}

/** Where a client goes: nodes by address, or one in this process. */
export type ConnectOptions =
  { readonly hosts: readonly string[] } | { readonly node: { readonly embedded: EmbeddedNode } }

export interface WritePolicy {
  /** Seconds, or what to do with the time the record has. */
  readonly ttl?: number | 'never' | 'keep' | 'default'
  readonly exists?: 'create' | 'update' | 'replace' | 'create-or-replace'
  /** Write only over this generation. */
  readonly generation?: number
}

export interface StoredRecord {
  readonly bins: Record<string, Value>
  readonly generation: number
  /** Seconds since 2010; 0 = never. */
  readonly voidTime: number
  /** Seconds left; undefined = for ever. */
  readonly ttl: number | undefined
}

/** The address is `host:port`; the first host that answers is used. */
export async function connect(options: ConnectOptions): Promise<Client> {
  if ('node' in options) return new Client(new EmbeddedLane(options.node.embedded))
  let failure: unknown = new Error('no hosts')
  for (const address of options.hosts) {
    const colon = address.lastIndexOf(':')
    try {
      return new Client(await SocketLane.open(address.slice(0, colon), Number(address.slice(colon + 1))))
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** Records by key, over a socket or in the same process. */
export class Client {
  readonly #lane: Lane

  constructor(lane: Lane) {
    this.#lane = lane
  }

  async put(
    key: Key,
    bins: Readonly<Record<string, Value>>,
    policy: WritePolicy = {},
  ): Promise<{ generation: number; voidTime: number }> {
    const ops = Object.entries(bins).map(([bin, value]) => ({ op: WRITE, bin, value }))
    const answer = await this.#ask(key, writeHeader(policy), ops)
    if (answer.code !== ResultCode.OK) throw new ClientError(answer.code, key)
    return { generation: answer.generation, voidTime: answer.voidTime }
  }

  /** Undefined where there is no such record. */
  async get(
    key: Key,
    { bins }: { readonly bins?: readonly string[] } = {},
  ): Promise<StoredRecord | undefined> {
    const ops = (bins ?? []).map((bin) => ({ op: READ, bin, value: null }))
    const answer = await this.#ask(key, { info1: bins ? 1 : 3, timeoutMs: DEFAULT_TIMEOUT_MS }, ops)
    if (answer.code === ResultCode.NOT_FOUND) return undefined
    if (answer.code !== ResultCode.OK) throw new ClientError(answer.code, key)
    const { generation, voidTime } = answer
    const ttl = voidTime === 0 ? undefined : secondsLeft(voidTime, Date.now())
    return { bins: answer.bins, generation, voidTime, ttl }
  }

  async exists(key: Key): Promise<boolean> {
    const { code } = await this.#ask(key, { info1: 0x21, timeoutMs: DEFAULT_TIMEOUT_MS }, [])
    if (code !== ResultCode.OK && code !== ResultCode.NOT_FOUND) throw new ClientError(code, key)
    return code === ResultCode.OK
  }

  /** False when there was nothing to remove. */
  async remove(key: Key): Promise<boolean> {
    const { code } = await this.#ask(key, { info2: 3, timeoutMs: DEFAULT_TIMEOUT_MS }, [])
    if (code !== ResultCode.OK && code !== ResultCode.NOT_FOUND) throw new ClientError(code, key)
    return code === ResultCode.OK
  }

  async close(): Promise<void> {
    this.#lane.close()
  }

  async #ask(key: Key, header: RequestHeader, ops: readonly RequestOp[]): Promise<RecordAnswer> {
    return recordAnswer(await this.#lane.request(recordFrame(key, header, ops)))
  }
}

const exists = {
  create: [0x20, 0],
  update: [0, 0x08],
  replace: [0, 0x20],
  'create-or-replace': [0, 0x10],
} as const

function writeHeader({ ttl = 'default', exists: existence, generation }: WritePolicy): RequestHeader {
  const [info2, info3] = existence ? exists[existence] : [0, 0]
  return {
    info2: 1 | info2 | (generation === undefined ? 0 : 4),
    info3,
    generation: generation ?? 0,
    ttl: ttl === 'default' ? 0 : ttl === 'never' ? TTL_NEVER : ttl === 'keep' ? TTL_KEEP : ttl,
    timeoutMs: DEFAULT_TIMEOUT_MS,
  }
}
