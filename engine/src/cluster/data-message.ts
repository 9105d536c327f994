import type { Past } from './past.ts'
import type { Process } from './process.ts'
import type { Regime } from './regime.ts'
import type { StoredVersion } from './stored-version.ts'
import type { MetadataEntry } from './system-metadata.ts'

export type AncestorEntries = readonly (readonly [regime: Regime, ancestors: readonly Regime[]])[]

/** What a master tells a replica, in order. */
export type StreamEntry =
  /** The first one: what the master's copy has been through. */
  | { readonly kind: 'begin'; readonly regimes: readonly Regime[] }
  /** The next version of this regime. */
  | { readonly kind: 'write'; readonly version: StoredVersion }
  /** Later writes of an older regime came to nothing. */
  | { readonly kind: 'cut'; readonly regime: Regime; readonly end: number }
  /** A version of an older regime that the replica does not cover. */
  | { readonly kind: 'give'; readonly version: StoredVersion }
  /** Now the replica holds all that the master holds. */
  | { readonly kind: 'whole'; readonly past: Past }

/** About one partition in one view; dropped by whoever is not in that view. */
export interface PartitionEnvelope {
  readonly view: string
  readonly namespace: string
  readonly partition: number
}

export type PartitionBody =
  /** Entries from this position on; the first of a view is 1. */
  | { readonly kind: 'stream'; readonly position: number; readonly entries: readonly StreamEntry[] }
  /** Everything up to this position is applied, and synced where that is promised. */
  | { readonly kind: 'applied'; readonly position: number }
  /** Asks a holder for versions behind a digest that this past does not cover. */
  | { readonly kind: 'take'; readonly past: Past; readonly after: Buffer | undefined }
  | {
      readonly kind: 'taken'
      /** As in the question. */
      readonly after: Buffer | undefined
      readonly versions: readonly StoredVersion[]
      /** Where to go on; none when this was all. */
      readonly next: Buffer | undefined
      /** The holder's own. */
      readonly past: Past
      readonly ancestors: AncestorEntries
    }
  /** Asks a holder for its version of one record. */
  | { readonly kind: 'ask'; readonly digest: Buffer }
  | {
      readonly kind: 'told'
      readonly digest: Buffer
      readonly version: StoredVersion | undefined
      readonly past: Past
      readonly ancestors: AncestorEntries
    }
  /** Asks the master whether all replicas are whole, and with which past; answered only when they are. */
  | { readonly kind: 'query'; readonly wantsPast: boolean }
  | { readonly kind: 'settled'; readonly past: Past | undefined }

export type PartitionMessage = PartitionEnvelope & PartitionBody

/** The two kinds that every write sends name their fields: spreading takes several times as long. */
export function partitionMessage(
  view: string,
  namespace: string,
  partition: number,
  body: PartitionBody,
): PartitionMessage {
  if (body.kind === 'stream') {
    const { kind, position, entries } = body
    return { view, namespace, partition, kind, position, entries }
  }
  if (body.kind === 'applied') return { view, namespace, partition, kind: body.kind, position: body.position }
  return { view, namespace, partition, ...body }
}

/** One client's request on its way to the master. */
export interface ProxyRequest {
  readonly namespace: string
  /** Of the attempt: the sender's next one has another. */
  readonly id: number
  readonly body: Buffer
  /** Milliseconds that the client still waits. */
  readonly time: number
  /** A row of a batch. */
  readonly isRow: boolean
}

/** What one node passes on to another in one go. */
export interface ProxyMessage {
  readonly kind: 'proxy'
  readonly view: string
  /** The process it is meant for; another one with this node's id does not know whether it was served. */
  readonly to: Process
  readonly requests: readonly ProxyRequest[]
}

export interface ProxiedAnswer {
  readonly id: number
  /** None: refused, and nothing was done. */
  readonly answer: Buffer | undefined
}

export interface ProxiedMessage {
  readonly kind: 'proxied'
  readonly answers: readonly ProxiedAnswer[]
}

/** How far a member is in this view, for its leader. */
export interface StatusMessage {
  readonly kind: 'status'
  readonly view: string
  /** Partitions it is master of whose replicas are not all whole. */
  readonly unsettled: number
  /** Partitions that another node should be master of. */
  readonly misplaced: number
}

/** Asks the leader for a view of the same members. */
export interface ReclusterMessage {
  readonly kind: 'recluster'
  readonly view: string
}

/** All that the sender knows of the system metadata, and that it has saved all that it was told. */
export type MetadataMessage =
  | { readonly kind: 'metadata'; readonly revision: number; readonly entries: readonly MetadataEntry[] }
  | { readonly kind: 'metadataKnown'; readonly view: string; readonly revision: number }

export type DataMessage =
  PartitionMessage | ProxyMessage | ProxiedMessage | StatusMessage | MetadataMessage | ReclusterMessage
