/**
 * Clients of a strong namespace in a simulated cluster. Each appends its own word to a record's log, reads or deletes
 * it, at any node, or truncates its set, which holds nothing else; the history of each record must be linearizable. A
 * record is used for as many operations as the check takes, then another takes its place.
 */
import { digestOf } from '../values/digest.ts'
import { ResultCode } from '../values/result-code.ts'
import type { ClusterSimNode } from './cluster-sim-node.ts'
import type { ClusterStage } from './cluster-stage.ts'
import { namespaceName } from './cluster-world.ts'
import { linearizability, maxOperations, type Operation } from './linearizability.ts'
import {
  countRequest,
  deleteRequest,
  linearizedReadRequest,
  readAnswer,
  type RecordName,
} from './request-body.ts'

interface OpenOperation extends Operation {
  returned: number | undefined
  value: string | undefined
}

interface History {
  readonly key: string
  readonly operations: OpenOperation[]
}

/** Milliseconds a client gives the node, and how much longer it waits itself. */
const requestTime = 1000
const clientPatience = 200
/** Milliseconds between two requests of one client at most. */
const longestThought = 60
const refusedThought = 1000
/** Of all operations. */
const truncations = 0.02
/** Steps of one check. */
const maxSteps = 50_000

/** Codes that say that nothing was done. */
const refusals: readonly number[] = [
  ResultCode.PARTITION_UNAVAILABLE,
  ResultCode.KEY_BUSY,
  ResultCode.DEVICE_OVERLOAD,
  ResultCode.FORBIDDEN,
]

export class StrongClusterClients {
  readonly #stage: ClusterStage
  #histories: History[] = []
  #records = 0
  readonly #current: History[] = []
  /** Orders beginnings and ends, also those of one moment. */
  #time = 0
  #stopped = false
  acknowledged = 0
  refused = 0
  inDoubt = 0
  reads = 0
  truncated = 0
  gaveUp = 0

  constructor(stage: ClusterStage, records: number) {
    this.#stage = stage
    for (let i = 0; i < records; i++) this.#current.push(this.#newHistory())
  }

  get keys(): readonly string[] {
    return this.#histories.map(({ key }) => key)
  }

  /** Starts a client that sends one request after the other. */
  start(): void {
    if (this.#stopped) return
    const { clock, random } = this.#stage
    this.#once((isRefused) =>
      clock.after(random.between(1, isRefused ? refusedThought : longestThought), () => this.start()),
    )
  }

  stop(): void {
    this.#stopped = true
  }

  /** Reads a record at a node; answers the code. */
  read(node: ClusterSimNode, key: string, done: (code: number) => void): void {
    const history = this.#histories.find((each) => each.key === key)!
    const operation = this.#begin(history, 'read')
    this.#send(node, linearizedReadRequest(nameOf(key)), (code, text) => {
      this.#ended(history, operation, code, text)
      done(code)
    })
  }

  /** Something was lost that may be lost: nobody looks at the records of before any more. */
  restart(): string[] {
    const violations = this.check()
    this.#histories = []
    for (const slot of this.#current.keys()) this.#current[slot] = this.#newHistory()
    return violations
  }

  /** What breaks the promise. */
  check(): string[] {
    return this.#histories.flatMap(({ key, operations }) => {
      const known = operations.filter(({ kind, returned }) => kind !== 'read' || returned !== undefined)
      const verdict = linearizability(known, undefined, maxSteps)
      if (verdict === 'gave up') this.gaveUp++
      if (verdict !== 'not linearizable') return []
      const lines = known.map(
        ({ kind, token, value, invoked, returned }) =>
          `${kind} ${token ?? ''} ${invoked}..${returned ?? '?'} → ${value ?? 'nothing'}`,
      )
      return [`L1: ${key} is not linearizable:\n    ${lines.join('\n    ')}`]
    })
  }

  #once(then: (isRefused: boolean) => void): void {
    const { random, nodes, clock } = this.#stage
    const up = nodes.filter((node) => node.running && !node.isPaused)
    if (up.length === 0) return then(true)
    const node = random.pick(up)
    const slot = random.below(this.#current.length)
    let history = this.#current[slot]!
    // One is kept for the reading in the end.
    if (history.operations.length >= maxOperations - 1) history = this.#current[slot] = this.#newHistory()
    const { key } = history
    let isOver = false
    const end = (code: number) => {
      if (isOver) return
      isOver = true
      then(refusals.includes(code))
    }
    clock.after(requestTime + clientPatience, () => end(ResultCode.TIMEOUT))
    if (random.chance(truncations)) return this.#truncate(node, history, end)
    const kind = random.chance(0.3) ? 'read' : random.chance(0.15) ? 'delete' : 'append'
    if (kind === 'read') return this.read(node, key, end)
    const token = kind === 'append' ? `${history.operations.length}.` : undefined
    const operation = this.#begin(history, kind, token)
    const body = token === undefined ? deleteRequest(nameOf(key)) : countRequest(nameOf(key), token)
    this.#send(node, body, (code, text) => {
      this.#ended(history, operation, code, text)
      end(code)
    })
  }

  #truncate(node: ClusterSimNode, history: History, end: (code: number) => void): void {
    const operation = this.#begin(history, 'delete')
    node.truncateStrongly(setOf(history.key), (code) => {
      if (code === ResultCode.OK) this.truncated++
      this.#ended(history, operation, code, undefined)
      end(code)
    })
  }

  #newHistory(): History {
    const history = { key: `k${this.#records++}`, operations: [] }
    this.#histories.push(history)
    return history
  }

  #begin(history: History, kind: Operation['kind'], token?: string): OpenOperation {
    const invoked = ++this.#time
    const operation = { kind, invoked, returned: undefined, value: undefined, ...(token && { token }) }
    history.operations.push(operation)
    return operation
  }

  #ended(history: History, operation: OpenOperation, code: number, text: string | undefined): void {
    const { kind, token } = operation
    const isThere = code === ResultCode.OK
    this.#stage.say('--', `${kind} ${token ?? ''} of ${history.key}: ${code} ${text ?? ''}`)
    if (isThere || (kind !== 'append' && code === ResultCode.NOT_FOUND)) {
      operation.returned = ++this.#time
      operation.value = kind === 'delete' ? undefined : text
      if (kind === 'read') this.reads++
      else this.acknowledged++
    } else if (refusals.includes(code)) {
      this.refused++
      history.operations.splice(history.operations.indexOf(operation), 1)
    } else if (code === ResultCode.TIMEOUT) this.inDoubt++
    else this.#stage.violate(`answers: ${kind} of ${history.key} is answered ${code}`)
  }

  /** Every request gets one answer at most. */
  #send(
    node: ClusterSimNode,
    body: Buffer,
    answered: (code: number, text: string | undefined) => void,
  ): void {
    let answers = 0
    node.submit(body, requestTime, (frame) => {
      if (++answers > 1) this.#stage.violate(`answers: ${node.id} answers twice`)
      const { code, text } = readAnswer(frame)
      answered(code, text)
    })
  }
}

function nameOf(key: string): RecordName {
  return { namespace: namespaceName, set: setOf(key), digest: digestOf('demo', key) }
}

function setOf(key: string): string {
  return `set of ${key}`
}
