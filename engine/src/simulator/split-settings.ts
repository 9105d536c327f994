/**
 * Settings of the cluster in the last act of a run with splits: two sides set the same one apart from each other, and
 * the newest must hold on all nodes once they have met (S1, S2 and S4 of cluster/README.md); one that is set then holds
 * whatever the clocks say, and after all nodes have lost power.
 */
import type { SettingState } from '../cluster/system-metadata.ts'
import type { ClusterSimNode } from './cluster-sim-node.ts'
import type { ClusterStage } from './cluster-stage.ts'
import { namespaceName } from './cluster-world.ts'

/** Set on both sides. */
const disputed = 'disputed'
/** Milliseconds within which a setting is on all disks. */
const savedWithin = 1000

/** Answers by name what must hold on all nodes. */
export function setApart(
  stage: ClusterStage,
  sides: readonly (readonly ClusterSimNode[])[],
): ReadonlyMap<string, string> {
  const due = new Map<string, string>()
  const rivals: SettingState[] = []
  for (const [index, side] of sides.entries()) {
    const node = stage.random.pick(side)
    const own = `side-${index}`
    set(node, own, 'set')
    due.set(own, 'set')
    set(node, disputed, own)
    const rival = knownTo(node).find(({ name }) => name === disputed)
    if (rival) rivals.push(rival)
  }
  rivals.sort((a, b) => a.at - b.at || (a.by < b.by ? -1 : 1))
  due.set(disputed, rivals.at(-1)?.value ?? '')
  return due
}

export function checkSettings(stage: ClusterStage, due: ReadonlyMap<string, string>): void {
  for (const { id, running } of stage.nodes)
    for (const [name, value] of due) {
      const found = running?.settings.get(name)
      if (found !== value) stage.violate(`settings: ${name} is ${found} on ${id}, not ${value}`)
    }
  stage.tally.add('setting merged', due.size)
}

export async function checkLastSetting(stage: ClusterStage): Promise<void> {
  const { nodes } = stage
  const slowest = nodes.toSorted((a, b) => a.skew - b.skew)[0]!
  const last = new Map([[disputed, 'last']])
  set(slowest, disputed, 'last')
  await stage.wait(savedWithin)
  checkSettings(stage, last)
  for (const node of nodes) node.crash('power')
  for (const { id, disk } of nodes) {
    const saved = disk.saved.metadata.some((each) => each.kind === 'setting' && each.value === 'last')
    if (!saved) stage.violate(`settings: ${id} has lost ${disputed} with its power`)
  }
  for (const node of nodes) node.start()
  await stage.settle()
  if (stage.goesOn) checkSettings(stage, last)
}

function set(node: ClusterSimNode, name: string, value: string): void {
  node.operate(({ metadata }) => metadata.set({ namespace: namespaceName, set: '', name, value }))
}

function knownTo({ running }: ClusterSimNode): SettingState[] {
  return (running?.node.metadata.entries ?? []).filter((entry) => entry.kind === 'setting')
}
