/**
 * Clients of a simulated cluster. Counters: each operation adds one and appends its own word to a log, and the answer
 * is the log as it then is, so every version tells its whole history. Notes: each operation puts a word or deletes.
 */
import { digestOf } from '../values/digest.ts'
import type { ClusterSimNode } from './cluster-sim-node.ts'
import { type ClusterWorld, namespaceName } from './cluster-world.ts'
import {
  countRequest,
  deleteRequest,
  putRequest,
  readAnswer,
  readRequest,
  type RecordName,
} from './request-body.ts'

export interface Operation {
  readonly kind: 'count' | 'put' | 'delete'
  readonly key: string
  /** Its own. */
  readonly word: string
  readonly began: number
  /** When the answer came. */
  ended: number | undefined
  /** Acknowledged, refused without effect, or nobody knows. */
  outcome: 'ok' | 'refused' | 'in doubt'
  /** The log after it. */
  log: string | undefined
}

const okCode = 0
const notFoundCode = 2
const timeoutCode = 9
/** Milliseconds a client gives the node, and how much longer it waits itself. */
const requestTime = 1000
const clientPatience = 200

export class ClusterClients {
  readonly operations: Operation[] = []
  readonly #world: ClusterWorld
  readonly #nodes: readonly ClusterSimNode[]
  readonly #counters: readonly string[]
  readonly #notes: readonly string[]
  #stopped = false
  reads = 0

  constructor(world: ClusterWorld, nodes: readonly ClusterSimNode[], records: number) {
    this.#world = world
    this.#nodes = nodes
    this.#counters = Array.from({ length: records }, (_, i) => `c${i}`)
    this.#notes = Array.from({ length: records }, (_, i) => `n${i}`)
  }

  get keys(): readonly string[] {
    return [...this.#counters, ...this.#notes]
  }

  /** Starts a client that sends one request after the other. */
  start(): void {
    if (this.#stopped) return
    const { clock, random } = this.#world
    this.#once(() => clock.after(random.between(1, 60), () => this.start()))
  }

  stop(): void {
    this.#stopped = true
  }

  /** Reads a key at a node; answers code and text. */
  read(
    node: ClusterSimNode,
    key: string,
    done: (answer: { code: number; text: string | undefined }) => void,
  ): void {
    node.submit(readRequest(nameOfKey(key)), requestTime, (frame) => done(readAnswer(frame)))
  }

  #once(then: () => void): void {
    const { random } = this.#world
    const up = this.#nodes.filter((node) => node.running && !node.isPaused)
    if (up.length === 0) return then()
    const node = random.pick(up)
    if (random.chance(0.2)) {
      this.reads++
      this.#withPatience(then, (end) => this.read(node, random.pick(this.keys), end))
      return
    }
    const operation = this.#newOperation()
    const { key, kind, word } = operation
    const name = nameOfKey(key)
    const body =
      kind === 'count'
        ? countRequest(name, word)
        : kind === 'put'
          ? putRequest(name, word)
          : deleteRequest(name)
    this.#withPatience(then, (end) =>
      node.submit(body, requestTime, (frame) => {
        this.#settle(operation, frame)
        end()
      }),
    )
  }

  /** Goes on after the answer or when patience ends, whatever comes first. */
  #withPatience(then: () => void, send: (end: () => void) => void): void {
    let over = false
    const end = () => {
      if (over) return
      over = true
      then()
    }
    this.#world.clock.after(requestTime + clientPatience, end)
    send(end)
  }

  #newOperation(): Operation {
    const { random, clock } = this.#world
    const kind = random.chance(0.6) ? 'count' : random.chance(0.3) ? 'delete' : 'put'
    const operation: Operation = {
      kind,
      key: random.pick(kind === 'count' ? this.#counters : this.#notes),
      word: `${this.operations.length}.`,
      began: clock.now,
      ended: undefined,
      outcome: 'in doubt',
      log: undefined,
    }
    this.operations.push(operation)
    return operation
  }

  #settle(operation: Operation, frame: Buffer): void {
    const { code, text } = readAnswer(frame)
    operation.ended = this.#world.clock.now
    operation.log = text
    const isOk = code === okCode || (operation.kind === 'delete' && code === notFoundCode)
    operation.outcome = isOk ? 'ok' : code === timeoutCode ? 'in doubt' : 'refused'
    this.#world.say(
      '--',
      `${operation.kind} ${operation.key} ${operation.word} ${operation.outcome} (${code})`,
    )
  }
}

function nameOfKey(key: string): RecordName {
  return { namespace: namespaceName, set: 'demo', digest: digestOf('demo', key) }
}
