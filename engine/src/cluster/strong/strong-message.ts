import type { StrongBody } from './message.ts'

/** What one node has to say to another of the partitions of a namespace in one view. */
export interface StrongBatch<Content> {
  readonly kind: 'strong'
  readonly view: string
  readonly namespace: string
  readonly bodies: readonly (readonly [partition: number, body: StrongBody<Content>])[]
}
