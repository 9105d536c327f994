import { compareNodeIds, type NodeId } from './node-id.ts'

/** Names a view, and every regime that it activates (rules V1 and A3). */
export interface ViewId {
  readonly number: number
  readonly leader: NodeId
  readonly incarnation: string
}

/** Before the first view. */
export const noView: ViewId = { number: 0, leader: '', incarnation: '' }

export function compareViewIds(a: ViewId, b: ViewId): number {
  if (a.number !== b.number) return a.number - b.number
  const byLeader = compareNodeIds(a.leader, b.leader)
  if (byLeader !== 0) return byLeader
  return a.incarnation < b.incarnation ? -1 : a.incarnation > b.incarnation ? 1 : 0
}

export function sameView(a: ViewId, b: ViewId): boolean {
  return a.number === b.number && a.leader === b.leader && a.incarnation === b.incarnation
}

export function viewKey(view: ViewId): string {
  return `${view.number}@${view.leader}.${view.incarnation}`
}
