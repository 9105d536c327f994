import { normaliseCollection } from '../values/collection.ts'
import { geojsonParticle } from '../values/geojson.ts'
import type { Particle } from '../values/particle.ts'
import { ParticleType } from '../values/particle.ts'
import { ResultCode, ResultError } from '../values/result-code.ts'
import { HyperLogLog } from './hll/hyper-log-log.ts'

const INTEGER_BYTES = 8

function parameter(why: string): never {
  throw new ResultError(ResultCode.PARAMETER, why)
}

/** A value as a client sends it, in the form that is stored. Throws ResultError 1, 4 or 160. */
export function storedValue(value: Particle): Particle {
  const bytes = value.end - value.start
  switch (value.type) {
    case ParticleType.INTEGER:
      return bytes === INTEGER_BYTES ? value : widened(value, bytes)
    case ParticleType.DOUBLE:
      return bytes === INTEGER_BYTES ? value : parameter('a double has 8 bytes')
    case ParticleType.BOOL:
      return bytes === 1 && value.buffer[value.start]! <= 1 ? value : parameter('a bool is 0 or 1')
    case ParticleType.STRING:
    case ParticleType.BLOB:
    case ParticleType.VECTOR:
      return value
    case ParticleType.GEOJSON:
      return geojsonParticle(value)
    case ParticleType.HLL:
      return HyperLogLog.from(value) ? value : parameter('not a HyperLogLog')
    case ParticleType.LIST:
    case ParticleType.MAP:
      return normaliseCollection(value)
    default:
      if (value.type >= ParticleType.JAVA_BLOB && value.type <= ParticleType.ERLANG_BLOB) return value
      return parameter(`particle type ${value.type}`)
  }
}

/** Shorter integers are extended with zeroes, not with their sign. */
function widened(value: Particle, bytes: number): Particle {
  if (bytes !== 1 && bytes !== 2 && bytes !== 4) return parameter('an integer has 1, 2, 4 or 8 bytes')
  const buffer = Buffer.alloc(INTEGER_BYTES)
  value.buffer.copy(buffer, INTEGER_BYTES - bytes, value.start, value.end)
  return { type: ParticleType.INTEGER, buffer, start: 0, end: INTEGER_BYTES }
}

const ScalarChange = { ADD: 5, APPEND: 9, PREPEND: 10 } as const

/** The bin's value after ADD, APPEND or PREPEND; a bin that is missing becomes the operand. */
export function changedValue(operation: number, bin: Particle | undefined, operand: Particle): Particle {
  if (operand.type === ParticleType.NULL) return parameter('the operand is null')
  if (bin?.type === ParticleType.GEOJSON) throw new ResultError(ResultCode.SERVER_ERROR)
  const value = storedValue(operand)
  if (bin === undefined) return value
  if (value.type !== bin.type) throw new ResultError(ResultCode.BIN_TYPE)
  if (operation === ScalarChange.ADD) return sum(bin, value)
  if (bin.type !== ParticleType.STRING && bin.type !== ParticleType.BLOB)
    throw new ResultError(ResultCode.BIN_TYPE)
  return operation === ScalarChange.APPEND ? joined(bin, value) : joined(value, bin)
}

function sum(bin: Particle, value: Particle): Particle {
  const buffer = Buffer.allocUnsafe(INTEGER_BYTES)
  if (bin.type === ParticleType.INTEGER) {
    const low = bin.buffer.readUInt32BE(bin.start + 4) + value.buffer.readUInt32BE(value.start + 4)
    const high = bin.buffer.readUInt32BE(bin.start) + value.buffer.readUInt32BE(value.start)
    buffer.writeUInt32BE(low >>> 0, 4)
    buffer.writeUInt32BE((high + (low > 0xffffffff ? 1 : 0)) >>> 0, 0)
  } else if (bin.type === ParticleType.DOUBLE)
    buffer.writeDoubleBE(bin.buffer.readDoubleBE(bin.start) + value.buffer.readDoubleBE(value.start))
  else throw new ResultError(ResultCode.BIN_TYPE)
  return { type: bin.type, buffer, start: 0, end: INTEGER_BYTES }
}

function joined(first: Particle, second: Particle): Particle {
  const buffer = Buffer.concat([
    first.buffer.subarray(first.start, first.end),
    second.buffer.subarray(second.start, second.end),
  ])
  return { type: first.type, buffer, start: 0, end: buffer.length }
}
