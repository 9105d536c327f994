import type { StrongBody } from './message.ts'

/** What one node has to say to another of the partitions of a namespace in one view. */
export interface StrongBatch<Content> {
  readonly kind: 'strong'
  readonly view: string
  readonly namespace: string
  readonly bodies: readonly (readonly [partition: number, body: StrongBody<Content>])[]
  /** What several partitions say in the same words; their numbers take two bytes each, the lower one first. */
  readonly alike: readonly (readonly [partitions: Buffer, body: StrongBody<Content>])[]
}
