import type { ExpressionRecord } from '../operations/expression/expression-node.ts'
import { readExpression, writeExpression } from '../operations/expression/expression.ts'
import { isPathCall, modifyByPath, selectByPath } from '../operations/expression/path-expression.ts'
import { modifyBits, readBits } from '../operations/bit/bit-operations.ts'
import { modifyHll, readHll } from '../operations/hll/hll-operations.ts'
import { modifyCollection, readCollection } from '../operations/collection.ts'
import { changedValue, storedValue } from '../operations/scalar.ts'
import type { AnswerWriter } from '../protocol/answer-writer.ts'
import type { RequestMessage } from '../protocol/message.ts'
import { Info1, Info2, Info3, Op } from '../protocol/message.ts'
import { uint32At } from '../values/byte-copy.ts'
import type { Particle } from '../values/particle.ts'
import { ParticleType } from '../values/particle.ts'
import { ResultCode, ResultError } from '../values/result-code.ts'
import type { WorkingRecord } from './working-record.ts'

const MAX_NAME_BYTES = 15

/** One op of a request, moved from op to op. */
export class OpCursor {
  buffer: Buffer = Buffer.alloc(0)
  number = 0
  nameStart = 0
  nameEnd = 0
  type = 0
  version = 0
  #at = 0
  #left = 0

  open({ buffer, opsStart, opCount }: RequestMessage): this {
    this.buffer = buffer
    this.#at = opsStart
    this.#left = opCount
    return this
  }

  next(): boolean {
    if (this.#left === 0) return false
    const { buffer } = this
    const at = this.#at
    this.#left--
    this.#at = at + 4 + uint32At(buffer, at)
    this.number = buffer[at + 4]!
    this.version = buffer[at + 6]!
    this.nameStart = at + 8
    this.nameEnd = this.nameStart + buffer[at + 7]!
    this.type = buffer[at + 5]!
    return true
  }

  /** Made anew at each call: it may become the value of a bin. */
  get value(): Particle {
    return { type: this.type, buffer: this.buffer, start: this.nameEnd, end: this.#at }
  }

  get nameIsValid(): boolean {
    if (this.nameEnd - this.nameStart > MAX_NAME_BYTES) return false
    for (let at = this.nameStart; at < this.nameEnd; at++) if (this.buffer[at] === 0) return false
    return true
  }
}

const replaces = Info3.CREATE_OR_REPLACE | Info3.REPLACE_ONLY

/** What can be refused about the ops of a write before its record is looked at; 0 = nothing. */
export function checkWriteOps(message: RequestMessage, op: OpCursor): ResultCode {
  const { info1, info2, info3 } = message
  const getAll = (info1 & Info1.GET_ALL) !== 0
  if (getAll && info2 & Info2.RESPOND_ALL_OPS) return ResultCode.PARAMETER
  let readsAll = !getAll
  op.open(message)
  while (op.next()) {
    if (!op.nameIsValid) return ResultCode.BIN_NAME
    if (info3 & replaces && !mayReplace(op)) return ResultCode.PARAMETER
    if (isRead(op.number) && (info1 & Info1.READ) === 0) return ResultCode.PARAMETER
    if (!getAll || op.number !== Op.READ) continue
    if (op.nameEnd > op.nameStart) return ResultCode.PARAMETER
    readsAll = true
  }
  return readsAll ? ResultCode.OK : ResultCode.PARAMETER
}

/** Op numbers are below 32, so a set of them is a word. */
const readOps =
  (1 << Op.READ) | (1 << Op.CDT_READ) | (1 << Op.EXP_READ) | (1 << Op.BIT_READ) | (1 << Op.HLL_READ)

const isRead = (op: number): boolean => op < 32 && ((readOps >>> op) & 1) === 1

/** Ops that make sense on a record whose bins are all new. */
function mayReplace({ number, type }: OpCursor): boolean {
  if (number === Op.WRITE) return type !== ParticleType.NULL
  return (
    number !== Op.INCR &&
    number !== Op.CDT_MODIFY &&
    number !== Op.APPEND &&
    number !== Op.PREPEND &&
    number !== Op.TOUCH &&
    number !== Op.DELETE
  )
}

/** Works through the ops of a command on the bins of its record. Throws ResultError with the first that fails. */
export class OpRunner {
  readonly #op = new OpCursor()
  readonly #facts: ExpressionRecord
  /** Set when an op DELETE took the record away. */
  deleted = false
  /** Set when an op would change a record. */
  writes = false

  constructor(facts: ExpressionRecord) {
    this.#facts = facts
  }

  run(message: RequestMessage, record: WorkingRecord, answer: AnswerWriter): void {
    const { info1, info2 } = message
    const mayRead = (info1 & Info1.READ) !== 0
    const mayWrite = (info2 & Info2.WRITE) !== 0
    const all = (info2 & Info2.RESPOND_ALL_OPS) !== 0
    this.deleted = false
    this.writes = false
    const op = this.#op.open(message)
    while (op.next()) {
      if (op.version !== 0) throw new ResultError(ResultCode.PARAMETER)
      if (!(isRead(op.number) ? mayRead : mayWrite)) throw new ResultError(ResultCode.PARAMETER)
      if (!op.nameIsValid) throw new ResultError(ResultCode.BIN_NAME)
      if (op.number === Op.READ) this.#read(message, record, answer, all)
      else this.#other(record, answer, all)
    }
  }

  #read(message: RequestMessage, record: WorkingRecord, answer: AnswerWriter, all: boolean): void {
    const op = this.#op
    if (message.info1 & Info1.GET_ALL) {
      if (op.nameEnd > op.nameStart) throw new ResultError(ResultCode.PARAMETER)
      for (let i = 0; i < record.count; i++) {
        const { nameBuffer, nameStart, nameEnd, value } = record.bin(i)
        answer.op(Op.READ, nameBuffer, nameStart, nameEnd, value)
      }
      return
    }
    const value = record.value(record.find(op.buffer, op.nameStart, op.nameEnd))
    this.#answer(answer, all || value !== undefined, value)
  }

  #other(record: WorkingRecord, answer: AnswerWriter, all: boolean): void {
    const op = this.#op
    const index = record.find(op.buffer, op.nameStart, op.nameEnd)
    const bin = record.value(index)
    switch (op.number) {
      case Op.WRITE:
        this.writes = true
        if (op.type !== ParticleType.NULL) this.#store(record, index, storedValue(op.value))
        else if (index >= 0) record.delete(index)
        return this.#answer(answer, all, undefined)
      case Op.INCR:
      case Op.APPEND:
      case Op.PREPEND:
        this.writes = true
        this.#store(record, index, changedValue(op.number, bin, op.value))
        return this.#answer(answer, all, undefined)
      case Op.CDT_READ: {
        const result = isPathCall(op.value)
          ? selectByPath(bin, op.value, this.#facts)
          : readCollection(bin, op.value)
        return this.#answer(answer, all || result !== undefined, result)
      }
      case Op.CDT_MODIFY: {
        this.writes = true
        const change = isPathCall(op.value)
          ? { bin: modifyByPath(bin, op.value, this.#facts), result: undefined }
          : modifyCollection(bin, op.value)
        if (change.bin !== undefined) this.#store(record, index, change.bin)
        else if (index >= 0) record.delete(index)
        return this.#answer(answer, all || change.result !== undefined, change.result)
      }
      case Op.BIT_READ: {
        const result = readBits(bin, blobPayload(op.value))
        return this.#answer(answer, all || result !== undefined, result)
      }
      case Op.BIT_MODIFY: {
        this.writes = true
        const value = modifyBits(bin, blobPayload(op.value))
        if (value !== undefined) this.#store(record, index, value)
        return this.#answer(answer, all, undefined)
      }
      case Op.HLL_READ: {
        const result = readHll(bin, blobPayload(op.value))
        return this.#answer(answer, all || result !== undefined, result)
      }
      case Op.HLL_MODIFY: {
        this.writes = true
        const change = modifyHll(bin, blobPayload(op.value))
        if (change.bin !== undefined) this.#store(record, index, change.bin)
        return this.#answer(answer, all || change.result !== undefined, change.result)
      }
      case Op.EXP_READ: {
        const result = readExpression(op.value, this.#facts)
        return this.#answer(answer, all || result !== undefined, result)
      }
      case Op.EXP_MODIFY: {
        this.writes = true
        const change = writeExpression(op.value, this.#facts, index >= 0)
        if (change.kind === 'store') this.#store(record, index, change.value)
        else if (change.kind === 'delete') record.delete(index)
        return this.#answer(answer, all, undefined)
      }
      case Op.TOUCH:
        this.writes = true
        return
      case Op.DELETE:
        this.writes = true
        this.deleted = true
        record.clear()
        return this.#answer(answer, all, undefined)
      default:
        throw new ResultError(ResultCode.PARAMETER, `op ${op.number}`)
    }
  }

  #store(record: WorkingRecord, index: number, value: Particle): void {
    const op = this.#op
    this.deleted = false
    if (!record.set(index, value, op.buffer, op.nameStart, op.nameEnd))
      throw new ResultError(ResultCode.PARAMETER, 'too many bins')
  }

  #answer(answer: AnswerWriter, wanted: boolean, value: Particle | undefined): void {
    const op = this.#op
    if (wanted) answer.op(op.number, op.buffer, op.nameStart, op.nameEnd, value)
  }
}

/** Calls on bits come as blobs, unlike those on lists and maps (hand-bit 4787). */
function blobPayload(value: Particle): Particle {
  if (value.type === ParticleType.BLOB) return value
  throw new ResultError(ResultCode.BIN_TYPE, `a payload of type ${value.type}`)
}
