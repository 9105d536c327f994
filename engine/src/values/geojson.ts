import { pointCell } from './point-cell.ts'
import type { Particle, Slice } from './particle.ts'
import { ParticleType } from './particle.ts'
import { circle, MAX_VERTICES, polygons, type Position, type Region } from './region.ts'
import { covering } from './region-coverer.ts'
import { ResultCode, ResultError } from './result-code.ts'

/** Flags and number of cells. */
const HEAD_BYTES = 3
const CELL_BYTES = 8
const IS_REGION = 1

/** What a GeoJSON text describes; positions are longitude and latitude in degrees. */
export type Geometry =
  | { readonly kind: 'point'; readonly position: Position }
  | { readonly kind: 'region'; readonly region: Region }

/**
 * A GeoJSON value as a client sends it, with the cells that the server adds: flags, number of cells, cells, text.
 * A region keeps its flag where nothing is covered (hand-record 1748). Throws ResultError 160 for what is no point,
 * polygon or circle.
 */
export function geojsonParticle(particle: Particle): Particle {
  const text = geojsonText(particle)
  const geometry = parseGeometry(text)
  const cells = geometry.kind === 'point' ? [pointCell(...geometry.position)] : covering(geometry.region)
  const textAt = HEAD_BYTES + CELL_BYTES * cells.length
  const buffer = Buffer.alloc(textAt + text.end - text.start)
  buffer[0] = geometry.kind === 'region' ? IS_REGION : 0
  buffer.writeUInt16BE(cells.length, 1)
  for (const [i, cell] of cells.entries()) buffer.writeBigUInt64BE(cell, HEAD_BYTES + CELL_BYTES * i)
  text.buffer.copy(buffer, textAt, text.start, text.end)
  return { type: ParticleType.GEOJSON, buffer, start: 0, end: buffer.length }
}

/** The text of a GeoJSON particle, behind its cells. */
export function geojsonText({ buffer, start, end }: Slice): Slice {
  const from =
    end - start < HEAD_BYTES ? end : start + HEAD_BYTES + CELL_BYTES * buffer.readUInt16BE(start + 1)
  if (from >= end) invalid('no text')
  return { buffer, start: from, end }
}

/** Throws ResultError 160 for what is no point, polygon or circle. */
export function parseGeometry({ buffer, start, end }: Slice): Geometry {
  let value: unknown
  try {
    value = JSON.parse(buffer.toString('utf8', start, end))
  } catch {
    invalid('not JSON')
  }
  let object = objectOf(value)
  while (object.type === 'Feature') object = objectOf(object.geometry)
  const { type, coordinates } = object
  if (!Array.isArray(coordinates)) invalid('no coordinates')
  switch (type) {
    case 'Point':
      return { kind: 'point', position: positionOf(coordinates) }
    case 'AeroCircle':
      return { kind: 'region', region: circleOf(coordinates) }
    case 'Polygon':
      return { kind: 'region', region: polygonsOf([coordinates]) }
    case 'MultiPolygon':
      return { kind: 'region', region: polygonsOf(coordinates) }
    default:
      return invalid(`a ${String(type)} is neither Point, Polygon, MultiPolygon nor AeroCircle`)
  }
}

function invalid(why: string): never {
  throw new ResultError(ResultCode.INVALID_GEOJSON, why)
}

interface GeoObject {
  readonly type?: unknown
  readonly coordinates?: unknown
  readonly geometry?: unknown
}

function objectOf(value: unknown): GeoObject {
  return typeof value === 'object' && value !== null ? value : invalid('not an object')
}

function positionOf(value: unknown): Position {
  if (!Array.isArray(value) || value.length !== 2) invalid('a position has two numbers')
  const [longitude, latitude] = value as unknown[]
  if (!within(longitude, 180) || !within(latitude, 90)) invalid('a position off the earth')
  return [longitude, latitude]
}

function within(degrees: unknown, most: number): degrees is number {
  return typeof degrees === 'number' && Math.abs(degrees) <= most
}

function circleOf(coordinates: readonly unknown[]): Region {
  const [centre, radius] = coordinates
  if (coordinates.length !== 2 || typeof radius !== 'number') invalid('a circle has a centre and a radius')
  return circle(positionOf(centre), radius)
}

function polygonsOf(coordinates: readonly unknown[]): Region {
  let vertices = 0
  const all = coordinates.map((polygon) => {
    if (!Array.isArray(polygon) || polygon.length === 0) invalid('a polygon has rings')
    return polygon.map((ring: unknown) => {
      if (!Array.isArray(ring) || ring.length < 4) invalid('a ring has four positions or more')
      vertices += ring.length
      if (vertices > MAX_VERTICES) invalid(`more than ${MAX_VERTICES} positions`)
      const positions = ring.map(positionOf)
      const [first, last] = [positions[0]!, positions.pop()!]
      if (first[0] !== last[0] || first[1] !== last[1]) invalid('a ring ends where it starts')
      return positions
    })
  })
  if (all.length === 0) invalid('no polygon')
  return polygons(all) ?? invalid('edges that cross')
}
