/** Particle types: the type byte of a bin value on the wire and in storage. Source: protocol notes, records. */
export const ParticleType = {
  NULL: 0,
  INTEGER: 1,
  DOUBLE: 2,
  STRING: 3,
  BLOB: 4,
  JAVA_BLOB: 7,
  ERLANG_BLOB: 12,
  VECTOR: 16,
  BOOL: 17,
  HLL: 18,
  MAP: 19,
  LIST: 20,
  GEOJSON: 23,
} as const

/** Bytes `start` to `end` (exclusive) of a buffer that somebody else owns. */
export interface Slice {
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
}

/** One bin value in the form the wire and the storage share: a type byte and its payload. */
export interface Particle extends Slice {
  readonly type: number
}
