import { NO_TIME } from '../values/no-time.ts'

/**
 * What a lookup found, filled in place so that a read allocates nothing. The bytes belong to a segment and stay
 * valid until control returns to the event loop. Times: `voidTime` in seconds since 2010-01-01 UTC (0 = never),
 * `lastUpdate` in ms since 1970.
 */
export interface RecordView {
  generation: number
  voidTime: number
  lastUpdate: number
  regime: number
  sequence: number
  /** 0 = no set; otherwise an id of the store's set table. */
  setId: number
  buffer: Buffer
  /** Stored user key: particle type byte, then the key bytes; `keyStart === keyEnd` when none is stored. */
  keyStart: number
  keyEnd: number
  /** The bins, laid end to end in the form of READ answer ops (size, op 1, type, 0, name length, name, data). */
  binsStart: number
  binsEnd: number
  binCount: number
}

/** Bins that are laid out where they are to be stored, so that they are copied once. */
export interface BinSource {
  /** Writes them at `at`, where there is room for all of them; answers where they end. */
  store(target: Buffer, at: number): number
}

/** One new version of a record, as handed to the store, which copies all bytes before it returns. */
export interface RecordDraft {
  digest: Buffer
  digestStart: number
  generation: number
  voidTime: number
  lastUpdate: number
  regime: number
  sequence: number
  setId: number
  key: Buffer
  keyStart: number
  keyEnd: number
  bins: Buffer
  binsStart: number
  binsEnd: number
  binCount: number
  /** Instead of `bins`: then `binsEnd` - `binsStart` is what they take. */
  binSource?: BinSource | undefined
  /** It moves the state of its partition's copy: this copy holds every write up to it. Only where `copies` are kept. */
  advances: boolean
}

export function newView(): RecordView {
  return {
    generation: 0,
    voidTime: 0,
    lastUpdate: NO_TIME,
    regime: 0,
    sequence: 0,
    setId: 0,
    buffer: Buffer.alloc(0),
    keyStart: 0,
    keyEnd: 0,
    binsStart: 0,
    binsEnd: 0,
    binCount: 0,
  }
}

export function newDraft(): RecordDraft {
  const nothing = Buffer.alloc(0)
  return {
    advances: false,
    digest: nothing,
    digestStart: 0,
    generation: 0,
    voidTime: 0,
    lastUpdate: NO_TIME,
    regime: 0,
    sequence: 0,
    setId: 0,
    key: nothing,
    keyStart: 0,
    keyEnd: 0,
    bins: nothing,
    binsStart: 0,
    binsEnd: 0,
    binCount: 0,
    binSource: undefined,
  }
}
