/**
 * The number of the smallest S2 cell that holds a point: the sphere is cast onto the six faces of a cube, each face
 * stretched so that its cells become about equally large, and a Hilbert curve runs through its 2^30 by 2^30 cells,
 * so that near points have near numbers. Source: the S2 geometry library's description (s2geometry.io).
 */
const LEVELS = 30
const SIDE = 2 ** LEVELS
const RADIANS = Math.PI / 180

/** Where the curve stands after a quadrant: by its orientation (1 = swapped, 2 = inverted) and the quadrant (i, j). */
const positions = [
  [0, 1, 3, 2],
  [0, 3, 1, 2],
  [2, 3, 1, 0],
  [2, 1, 3, 0],
] as const
const turns = [1, 0, 0, 3] as const

/** Longitude and latitude in degrees. */
export function pointCell(longitude: number, latitude: number): bigint {
  const x = Math.cos(latitude * RADIANS) * Math.cos(longitude * RADIANS)
  const y = Math.cos(latitude * RADIANS) * Math.sin(longitude * RADIANS)
  const z = Math.sin(latitude * RADIANS)
  const { face, u, v } = cast(x, y, z)
  return curve(face, cellOf(stretch(u)), cellOf(stretch(v)))
}

function cast(x: number, y: number, z: number): { face: number; u: number; v: number } {
  const [ax, ay, az] = [Math.abs(x), Math.abs(y), Math.abs(z)]
  const axis = ax > ay ? (ax > az ? 0 : 2) : ay > az ? 1 : 2
  const face = [x, y, z][axis]! < 0 ? axis + 3 : axis
  switch (face) {
    case 0:
      return { face, u: y / x, v: z / x }
    case 1:
      return { face, u: -x / y, v: z / y }
    case 2:
      return { face, u: -x / z, v: -y / z }
    case 3:
      return { face, u: z / x, v: y / x }
    case 4:
      return { face, u: z / y, v: -x / y }
    default:
      return { face, u: -y / z, v: -x / z }
  }
}

const stretch = (u: number): number => (u >= 0 ? 0.5 * Math.sqrt(1 + 3 * u) : 1 - 0.5 * Math.sqrt(1 - 3 * u))

const cellOf = (s: number): number => Math.max(0, Math.min(SIDE - 1, Math.floor(SIDE * s)))

function curve(face: number, i: number, j: number): bigint {
  let id = BigInt(face)
  let orientation = face & 1
  for (let level = LEVELS - 1; level >= 0; level--) {
    const quadrant = (((i >>> level) & 1) << 1) | ((j >>> level) & 1)
    const position = positions[orientation]![quadrant]!
    id = (id << 2n) | BigInt(position)
    orientation ^= turns[position]
  }
  return (id << 1n) | 1n
}
