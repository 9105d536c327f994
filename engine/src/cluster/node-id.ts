/** A node's id: up to 16 upper-case hex digits, as clients see it. */
export type NodeId = string

/** Numeric order of hex ids. */
export function compareNodeIds(a: NodeId, b: NodeId): number {
  if (a.length !== b.length) return a.length - b.length
  return a < b ? -1 : a > b ? 1 : 0
}
