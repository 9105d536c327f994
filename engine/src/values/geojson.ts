import { pointCell } from './point-cell.ts'
import type { Particle } from './particle.ts'
import { ParticleType } from './particle.ts'
import { ResultCode, ResultError } from './result-code.ts'

/** Flags and number of cells. */
const HEAD_BYTES = 3
const CELL_BYTES = 8

/**
 * A GeoJSON value as a client sends it, with the cells that the server adds. Throws ResultError 160 for what is no
 * geometry, and 16 for regions, whose cells are not computed yet.
 */
export function geojsonParticle({ buffer, start, end }: Particle): Particle {
  const textAt =
    end - start < HEAD_BYTES ? end : start + HEAD_BYTES + CELL_BYTES * buffer.readUInt16BE(start + 1)
  if (textAt >= end) throw new ResultError(ResultCode.INVALID_GEOJSON)
  const [longitude, latitude] = pointOf(parse(buffer.toString('utf8', textAt, end)))
  const particle = Buffer.alloc(HEAD_BYTES + CELL_BYTES + end - textAt)
  particle.writeUInt16BE(1, 1)
  particle.writeBigUInt64BE(pointCell(longitude, latitude), HEAD_BYTES)
  buffer.copy(particle, HEAD_BYTES + CELL_BYTES, textAt, end)
  return { type: ParticleType.GEOJSON, buffer: particle, start: 0, end: particle.length }
}

interface Geometry {
  readonly type?: unknown
  readonly coordinates?: unknown
  readonly geometry?: unknown
}

function parse(text: string): Geometry {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new ResultError(ResultCode.INVALID_GEOJSON)
  }
  if (typeof value !== 'object' || value === null) throw new ResultError(ResultCode.INVALID_GEOJSON)
  return value
}

const regions: readonly unknown[] = ['Polygon', 'MultiPolygon', 'AeroCircle']

function pointOf({ type, coordinates, geometry }: Geometry): [number, number] {
  if (type === 'Feature' && typeof geometry === 'object' && geometry !== null) return pointOf(geometry)
  if (regions.includes(type)) throw new ResultError(ResultCode.UNSUPPORTED, 'regions are not supported yet')
  if (type !== 'Point' || !Array.isArray(coordinates)) throw new ResultError(ResultCode.INVALID_GEOJSON)
  const [longitude, latitude] = coordinates as unknown[]
  if (coordinates.length !== 2 || !within(longitude, 180) || !within(latitude, 90))
    throw new ResultError(ResultCode.INVALID_GEOJSON)
  return [longitude, latitude]
}

function within(degrees: unknown, most: number): degrees is number {
  return typeof degrees === 'number' && Math.abs(degrees) <= most
}
