import type { ViewId } from '../view-id.ts'
import type { Digest, Entry, Version } from './copy-disk.ts'
import type { Lineage } from './lineage.ts'
import type { Position } from './position.ts'
import type { Truncation, Truncations } from './truncation.ts'

/** A numbered write. */
export interface Write<Content> {
  readonly digest: Digest
  readonly version: Version<Content>
}

/** What goes from the master to one replica, in order and without gaps (rules W1, F2). */
export type StreamItem<Content> =
  | { readonly kind: 'write'; readonly write: Write<Content> }
  /** Numbered as a write. */
  | { readonly kind: 'truncation'; readonly truncation: Truncation }
  /** Asks what the target holds above the point; without one it will be filled range by range. */
  | { readonly kind: 'fill'; readonly point: Position | undefined; readonly horizon: Position }
  | { readonly kind: 'records'; readonly entries: readonly Entry<Content>[] }
  | {
      readonly kind: 'range'
      readonly after: Digest | undefined
      readonly upTo: Digest | undefined
      readonly entries: readonly Entry<Content>[]
    }
  | {
      readonly kind: 'filled'
      readonly lineage: Lineage
      readonly horizon: Position
      readonly truncations: Truncations
    }
  /** The master asks the target from now on (rule F4). */
  | { readonly kind: 'complete' }

/** What brings a complete copy to the starting state, at once (rule A8). */
export interface Unit<Content> {
  readonly whole: boolean
  readonly entries: readonly Entry<Content>[]
  readonly horizon: Position
  readonly truncations: Truncations
}

export type StrongBody<Content> =
  /** From a complete copy to whoever brings it to the starting state: what it holds above their common point. */
  | { readonly kind: 'held'; readonly digests: readonly Digest[] }
  | { readonly kind: 'unit'; readonly unit: Unit<Content> }
  /** The activation is on this member's disk. */
  | { readonly kind: 'written' }
  | { readonly kind: 'serving' }
  | {
      readonly kind: 'stream'
      /** Number of the first item, counted from 1. */
      readonly first: number
      readonly items: readonly StreamItem<Content>[]
      /** Sequence up to which all replicas have acknowledged. */
      readonly acknowledged: number
    }
  | {
      readonly kind: 'acknowledge'
      readonly item: number
      /** Answers a `fill` item, until the first piece arrives. */
      readonly held?: readonly Digest[]
    }
  | { readonly kind: 'confirm'; readonly round: number }
  | { readonly kind: 'confirmed'; readonly round: number }

/** Dropped by whoever does not act in this very view, in the process that joined it (rules V2, V3). */
export interface StrongMessage<Content> {
  readonly version: 1
  readonly view: ViewId
  readonly body: StrongBody<Content>
}
