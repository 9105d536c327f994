/**
 * Regions of the earth's surface: polygons whose edges are great circles, and circles. Whether a point or a cell lies
 * in one is worked out by the S2 library, which is loaded when the first region comes: it costs 10 MB and 50 ms.
 */
import { createRequire } from 'node:module'
import type { s2 as S2 } from 's2js'
import type { Coverable } from './region-coverer.ts'
import { crossingEdges, type Vertex } from './ring-crossing.ts'

/** Metres; the real server's `geo2dsphere-within.earth-radius-meters`. */
const EARTH_RADIUS = 6_371_000

/** Polygons with more vertices are refused: their index would hold up everybody else. */
export const MAX_VERTICES = 4096

/** Longitude and latitude in degrees. */
export type Position = readonly [number, number]

export interface Region extends Coverable {
  holdsPoint(position: Position): boolean
}

type Library = typeof S2
let library: Library | undefined

function s2(): Library {
  library ??= (createRequire(import.meta.url)('s2js') as { s2: Library }).s2
  return library
}

type Shape = Pick<InstanceType<Library['Polygon']>, 'containsCell' | 'intersectsCell' | 'containsPoint'>

function region(shape: Shape, bound: () => readonly bigint[]): Region {
  const { Cell, LatLng, Point } = s2()
  return {
    contains: (cell) => shape.containsCell(Cell.fromCellID(cell)),
    intersects: (cell) => shape.intersectsCell(Cell.fromCellID(cell)),
    holdsPoint: ([longitude, latitude]) =>
      shape.containsPoint(Point.fromLatLng(LatLng.fromDegrees(latitude, longitude))),
    bound,
  }
}

/** A circle; `radius` in metres. A negative radius holds nothing. */
export function circle([longitude, latitude]: Position, radius: number): Region {
  const { Cap, LatLng, Point } = s2()
  const centre = Point.fromLatLng(LatLng.fromDegrees(latitude, longitude))
  const cap = Cap.fromCenterAngle(centre, radius / EARTH_RADIUS)
  return region(cap, () => (cap.isEmpty() ? [] : cap.cellUnionBound()))
}

/**
 * Polygons, each with its outer ring first and holes behind it; every ring comes without the repeated last position.
 * Undefined where rings cross themselves or one another, or have equal vertices.
 */
export function polygons(all: readonly (readonly (readonly Position[])[])[]): Region | undefined {
  const { LatLng, Loop, Point, Polygon } = s2()
  const vertices = (ring: readonly Position[]) =>
    ring.map(([longitude, latitude]) => Point.fromLatLng(LatLng.fromDegrees(latitude, longitude)))
  const loops = []
  for (const rings of all) {
    const points = rings.map(vertices)
    if (crossingEdges(points.map((ring) => ring.map(({ x, y, z }): Vertex => [x, y, z])))) return undefined
    for (const ring of points) {
      const loop = new Loop(ring)
      loop.normalize()
      loops.push(loop)
    }
  }
  const polygon = new Polygon(loops)
  return region(polygon, () => indexBound(polygon))
}

/**
 * The cells at which the library's index of edges starts, each shrunk to the part that holds edges. The covering of
 * the square of one degree (hand-record 1734) tells this bound from the one of a box around the polygon.
 */
function indexBound(polygon: InstanceType<Library['Polygon']>): bigint[] {
  const { cellid } = s2()
  const common = (a: bigint, b: bigint) =>
    a === b ? a : cellid.parent(a, cellid.commonAncestorLevel(a, b)[0])
  const at = polygon.index.iterator()
  at.end()
  if (!at.prev()) return []
  const last = at.cellID()
  at.begin()
  const cells: bigint[] = []
  if (at.cellID() !== last) {
    const [shared, sameFace] = cellid.commonAncestorLevel(at.cellID(), last)
    const level = sameFace ? shared + 1 : 0
    const end = cellid.parent(last, level)
    for (let id = cellid.parent(at.cellID(), level); id !== end; id = cellid.next(id)) {
      if (cellid.rangeMax(id) < at.cellID()) continue
      const first = at.cellID()
      at.seek(cellid.next(cellid.rangeMax(id)))
      at.prev()
      cells.push(common(first, at.cellID()))
      at.next()
    }
  }
  cells.push(common(at.cellID(), last))
  return cells
}
