/** What a node believes, in words, for the end of a transcript. */
import { viewNumberOf } from '../cluster/regime.ts'
import { copiesFrom } from '../cluster/saved-copies.ts'
import { viewKey } from '../cluster/view-id.ts'
import type { ClusterSimNode } from './cluster-sim-node.ts'
import { namespaceName } from './cluster-world.ts'

/** A line for the node, and one for each of these partitions. */
export function beliefsOf(
  { id, running, isPaused, skew }: ClusterSimNode,
  partitions: readonly number[],
): string[] {
  if (!running) return [`${id} does not run`]
  const { self, node } = running
  const { active, promised } = node.membership
  const members = active?.members.map((member) => member.id).join(' ') ?? 'nobody'
  const state = node.serving === undefined ? `serves in no view` : `serves in ${node.serving}`
  const lines = [
    `${id} (start ${self.start}, clock ${skew} ms ahead${isPaused ? ', stands still' : ''}) ${state} with ${members}, has promised ${viewKey(promised)}`,
  ]
  const namespace = node.namespaces.get(namespaceName)
  if (!namespace) return lines
  const copies = copiesFrom(namespace.save(), namespace.store.partitions)
  for (const partition of partitions) {
    const place = namespace.place(partition)
    const { past, whole } = copies[partition]!
    const ends = past.regimes.map((regime, i) => `${viewNumberOf(regime)}.${past.ends[i]}`).join(' ')
    const role = place ? `master ${place.master}, replicas ${place.replicas.join(' ')}` : 'no map'
    const reads = namespace.answersReads(partition) ? ', answers reads' : ''
    lines.push(
      `  p${partition}: ${role}; own copy ${whole ? 'whole' : 'in part'}, has had ${ends || 'nothing'}${reads}`,
    )
  }
  return lines
}
