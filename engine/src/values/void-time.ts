/** When the life of a record is over is told in seconds since 2010-01-01 UTC. */
export const EPOCH_2010_MS = 1_262_304_000_000

/** Of a moment in ms since 1970. */
export function voidTimeAt(ms: number): number {
  return Math.floor((ms - EPOCH_2010_MS) / 1000)
}
