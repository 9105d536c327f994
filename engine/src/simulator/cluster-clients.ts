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
  mortalRequest,
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

/** What a client found, at any time. */
export interface Read {
  readonly key: string
  readonly began: number
  readonly ended: number
  /** None: there was no record. */
  readonly text: string | undefined
  /** Since then nothing is broken and every copy is whole; none when that was not so all the while. */
  readonly quietSince: number | undefined
}

const okCode = 0
const notFoundCode = 2
const timeoutCode = 9
/** Milliseconds a client gives the node, and how much longer it waits itself. */
const requestTime = 1000
/** Seconds. */
const mortalLife = 1
/** What expires and is truncated lies in a set of its own. */
export const mortalSet = 'mortal'
const clientPatience = 200

export const usualThought = 60
/** Milliseconds by which a node may overstep a client's time: it looks at the clock once a tick. */
const tickTime = 21

export class ClusterClients {
  readonly operations: Operation[] = []
  readonly reads: Read[] = []
  readonly #world: ClusterWorld
  readonly #nodes: readonly ClusterSimNode[]
  readonly #counters: readonly string[]
  readonly #notes: readonly string[]
  #stopped = false
  /** Records of the mortal set from before this must be gone on all nodes. */
  truncatedBefore = 0
  /** The quiet time it is now, if it is one. */
  #quiet: { readonly since: number; readonly settled: boolean } | undefined
  /** Milliseconds of the longest thought between two requests of one client. */
  longestThought = usualThought
  /** Nobody sends anything. */
  held = false

  constructor(world: ClusterWorld, nodes: readonly ClusterSimNode[], records: number) {
    this.#world = world
    this.#nodes = nodes
    this.#counters = Array.from({ length: records }, (_, i) => `c${i}`)
    this.#notes = Array.from({ length: records }, (_, i) => `n${i}`)
  }

  get keys(): readonly string[] {
    return [...this.#counters, ...this.#notes]
  }

  get digests(): readonly Buffer[] {
    return this.keys.map((key) => nameOfKey(key).digest)
  }

  /** Starts a client that sends one request after the other. */
  start(): void {
    if (this.#stopped) return
    const { clock, random } = this.#world
    this.#once(() => clock.after(random.between(1, this.longestThought), () => this.start()))
  }

  stop(): void {
    this.#stopped = true
  }

  /** From now on requests must succeed, and while every copy is whole reads see what was acknowledged. */
  beginQuiet({ settled }: { settled: boolean }): void {
    this.#quiet = { since: this.#world.clock.now, settled }
  }

  endQuiet(): void {
    this.#quiet = undefined
  }

  /** Reads a key at a node; answers code and text. */
  read(
    node: ClusterSimNode,
    key: string,
    done: (answer: { code: number; text: string | undefined }) => void,
  ): void {
    const { clock } = this.#world
    const quiet = this.#quiet
    const began = clock.now
    this.#send(node, readRequest(nameOfKey(key)), `read ${key}`, (frame) => {
      const answer = readAnswer(frame)
      const { code, text } = answer
      const still = quiet === this.#quiet ? quiet : undefined
      if (code === okCode || code === notFoundCode) {
        this.reads.push({
          ...{ key, began, ended: clock.now, text },
          quietSince: still?.settled ? still.since : undefined,
        })
      } else if (still) this.#world.violate(`service: read of ${key} at ${node.id} is answered ${code}`)
      done(answer)
    })
  }

  #once(then: () => void): void {
    const { random } = this.#world
    const up = this.#nodes.filter((node) => node.running && !node.isPaused)
    if (up.length === 0 || this.held) return then()
    const node = random.pick(up)
    if (random.chance(0.2)) {
      this.#withPatience(then, (end) => this.read(node, random.pick(this.keys), end))
      return
    }
    if (random.chance(0.15)) {
      this.#withPatience(then, (end) => this.#putMortal(node, end))
      return
    }
    const quiet = this.#quiet
    const operation = this.#newOperation()
    const { key, kind, word } = operation
    this.#withPatience(then, (end) =>
      this.#send(node, bodyOf(operation), `${kind} ${key} ${word}`, (frame) => {
        this.#settle(operation, frame)
        if (operation.outcome !== 'ok' && quiet && quiet === this.#quiet)
          this.#world.violate(`service: ${kind} ${key} ${word} at ${node.id} is ${operation.outcome}`)
        end()
      }),
    )
  }

  /** Nobody looks at it; in the end all copies of it must be gone, or there, alike. */
  #putMortal(node: ClusterSimNode, done: () => void): void {
    if (this.#world.random.chance(0.02)) this.#truncate(node)
    const { random, tally } = this.#world
    const key = `m${random.below(8)}`
    tally.add('mortal record')
    const name = { namespace: namespaceName, set: mortalSet, digest: digestOf(mortalSet, key) }
    this.#send(node, mortalRequest(name, key, random.pick([0, mortalLife])), `put ${key}`, done)
  }

  /** What a node that goes on for a second has said must be so on all nodes, whatever happens later. */
  #truncate(node: ClusterSimNode): void {
    const { clock, tally, say } = this.#world
    const { interruptions } = node
    const before = node.truncate(mortalSet)
    tally.add('truncation')
    say(node.id, `truncates what is older than ${before}`)
    clock.after(1000, () => {
      if (node.interruptions === interruptions && node.running?.node.serving !== undefined)
        this.truncatedBefore = Math.max(this.truncatedBefore, before)
    })
  }

  /** Every request gets one answer, and none after its time; a node that ended or stood still meanwhile is excused. */
  #send(node: ClusterSimNode, body: Buffer, what: string, answered: (frame: Buffer) => void): void {
    const { clock, violate } = this.#world
    const began = clock.now
    const { interruptions } = node
    let answers = 0
    node.submit(body, requestTime, (frame) => {
      const time = clock.now - began
      if (++answers > 1) violate(`answers: ${node.id} answers twice to ${what}`)
      if (time > requestTime + tickTime && interruptions === node.interruptions) {
        violate(`answers: ${node.id} answers to ${what} after ${time} ms`)
      }
      answered(frame)
    })
    clock.after(requestTime + clientPatience, () => {
      if (answers === 0 && interruptions === node.interruptions)
        violate(`answers: ${node.id} never answers to ${what} of ${began}`)
    })
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

function bodyOf({ kind, key, word }: Operation): Buffer {
  const name = nameOfKey(key)
  if (kind === 'count') return countRequest(name, word)
  return kind === 'put' ? putRequest(name, word) : deleteRequest(name)
}

function nameOfKey(key: string): RecordName {
  return { namespace: namespaceName, set: 'demo', digest: digestOf('demo', key) }
}
