/**
 * Whether the edges of a polygon's rings, arcs of great circles, cross or touch where they must not. Edges are swept
 * in the order of their lowest x and compared with those whose boxes overlap; the sign of the volume that three
 * points span tells on which side of an arc a point lies. Worst case all pairs; the number of vertices is bounded by
 * the caller.
 */

/** A point of the unit sphere. */
export type Vertex = readonly [number, number, number]

interface Edge {
  readonly from: Vertex
  readonly to: Vertex
  readonly low: Vertex
  readonly high: Vertex
}

/** True for rings with fewer than three vertices, equal vertices, or edges that cross. */
export function crossingEdges(rings: readonly (readonly Vertex[])[]): boolean {
  const edges: Edge[] = []
  for (const ring of rings) {
    if (ring.length < 3 || hasEqual(ring)) return true
    for (const [i, from] of ring.entries()) edges.push(edge(from, ring[(i + 1) % ring.length]!))
  }
  edges.sort((a, b) => a.low[0] - b.low[0])
  for (const [i, one] of edges.entries())
    for (let k = i + 1; k < edges.length && edges[k]!.low[0] <= one.high[0]; k++)
      if (overlap(one, edges[k]!) && cross(one, edges[k]!)) return true
  return false
}

function hasEqual(ring: readonly Vertex[]): boolean {
  return new Set(ring.map((vertex) => vertex.join())).size < ring.length
}

/** An arc's box: that of its ends, wider by how far the arc stands out over its chord. */
function edge(from: Vertex, to: Vertex): Edge {
  const chord = Math.hypot(from[0] - to[0], from[1] - to[1], from[2] - to[2])
  const rise = 1 - Math.sqrt(Math.max(0, 1 - (chord * chord) / 4)) + 1e-15
  const axis = (i: 0 | 1 | 2, side: 1 | -1) => Math[side > 0 ? 'max' : 'min'](from[i], to[i]) + side * rise
  return {
    from,
    to,
    low: [axis(0, -1), axis(1, -1), axis(2, -1)],
    high: [axis(0, 1), axis(1, 1), axis(2, 1)],
  }
}

function overlap(a: Edge, b: Edge): boolean {
  return a.low[1] <= b.high[1] && b.low[1] <= a.high[1] && a.low[2] <= b.high[2] && b.low[2] <= a.high[2]
}

/** Edges that share an end do not cross; else the four triangles around a crossing turn the same way. */
function cross({ from: a, to: b }: Edge, { from: c, to: d }: Edge): boolean {
  if (same(a, c) || same(a, d) || same(b, c) || same(b, d)) return false
  const turn = side(a, c, b)
  return turn !== 0 && side(c, b, d) === turn && side(b, d, a) === turn && side(d, a, c) === turn
}

const same = (a: Vertex, b: Vertex) => a[0] === b[0] && a[1] === b[1] && a[2] === b[2]

/** The sign of the volume of (a, b, c), from differences, so that near points lose no digits. */
function side(a: Vertex, b: Vertex, c: Vertex): number {
  const [px, py, pz] = [b[0] - a[0], b[1] - a[1], b[2] - a[2]]
  const [qx, qy, qz] = [c[0] - a[0], c[1] - a[1], c[2] - a[2]]
  return Math.sign(a[0] * (py * qz - pz * qy) + a[1] * (pz * qx - px * qz) + a[2] * (px * qy - py * qx))
}
