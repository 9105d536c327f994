/**
 * What a copy of a partition is, beside its versions, and its bytes: numbers of 7 bits a byte, lowest first, the high
 * bit says that more follow. First the pairs (regime, sequence) of state and horizon, the number of truncations and a
 * zero, the pair of the highest version; then of each truncation its set, its number, regime and sequence; then of each
 * epoch its regime, by how much that exceeds the regime of its start, and the sequence of its start.
 */

/** Names a write, and the state of a copy that holds every write up to it. */
export interface Point {
  readonly regime: number
  readonly sequence: number
}

/** What is at or below the position counts as deleted: of the set, or with id 0 of all. */
export interface CopyTruncation {
  readonly setId: number
  /** Which truncation it was: those of a namespace are numbered upwards. */
  readonly number: number
  readonly position: Point
}

export interface CopyFacts {
  /** Regimes whose writes the copy holds, each with the state it began from. */
  readonly epochs: readonly { readonly regime: number; readonly start: Point }[]
  readonly state: Point
  /** The highest tombstone that was dropped. */
  readonly horizon: Point
  readonly truncations: readonly CopyTruncation[]
  /** No version is above it. */
  readonly highest: Point
}

export function writeFacts({ epochs, state, horizon, truncations, highest }: CopyFacts): Buffer {
  const bytes: number[] = []
  for (const { regime, sequence } of [state, horizon]) {
    writeNumber(bytes, regime)
    writeNumber(bytes, sequence)
  }
  for (const number of [truncations.length, 0, highest.regime, highest.sequence]) writeNumber(bytes, number)
  for (const { setId, number, position } of truncations) {
    for (const each of [setId, number, position.regime, position.sequence]) writeNumber(bytes, each)
  }
  for (const { regime, start } of epochs) {
    writeNumber(bytes, regime)
    writeNumber(bytes, regime - start.regime)
    writeNumber(bytes, start.sequence)
  }
  return Buffer.from(bytes)
}

export function readFacts(bytes: Buffer): CopyFacts {
  let at = 0
  const next = (): number => {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = bytes[at++] ?? 0
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
  }
  const point = (): Point => ({ regime: next(), sequence: next() })
  const [state, horizon] = [point(), point()]
  const count = next()
  next()
  const highest = point()
  const truncations = Array.from({ length: count }, () => ({
    setId: next(),
    number: next(),
    position: point(),
  }))
  const epochs: CopyFacts['epochs'][number][] = []
  while (at < bytes.length) {
    const regime = next()
    epochs.push({ regime, start: { regime: regime - next(), sequence: next() } })
  }
  return { epochs, state, horizon, truncations, highest }
}

function writeNumber(bytes: number[], value: number): void {
  if (!(value >= 0)) throw new Error(`a copy cannot keep the number ${value}`)
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  bytes.push(rest)
}
