/** Whether a region holds a point, for GEO. */
import { geojsonText, type Geometry, parseGeometry } from '../../values/geojson.ts'
import type { Particle } from '../../values/particle.ts'

/** What literals describe, which is looked at for many records. */
const literals = new WeakMap<Particle, Geometry>()

export function rememberGeometry(literal: Particle): void {
  literals.set(literal, parseGeometry(geojsonText(literal)))
}

const geometryOf = (value: Particle): Geometry => literals.get(value) ?? parseGeometry(geojsonText(value))

/** In either order; false for two points and for two regions. */
export function regionHoldsPoint(one: Particle, other: Particle): boolean {
  const [a, b] = [geometryOf(one), geometryOf(other)]
  if (a.kind === 'region') return b.kind === 'point' && a.region.holdsPoint(b.position)
  return b.kind === 'region' && b.region.holdsPoint(a.position)
}
