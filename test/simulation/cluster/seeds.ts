import { expect } from 'vitest'
import { runCluster, type ClusterRunOptions } from '../../../engine/src/simulator/cluster-run.ts'

export const long = process.env.LARDER_LONG === '1'

/** Runs so many seeds of a kind, none of which may break anything; answers what happened in all of them. */
export async function runSeeds(
  kind: ClusterRunOptions['kind'],
  seeds: number,
): Promise<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (let seed = 0; seed < seeds; seed++) {
    const { violations, counts } = await runCluster({ seed, kind })
    expect(violations, `npm run simulate -- --kind ${kind} --seed ${seed}`).toEqual([])
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count
  }
  return sums
}

/** What did not happen in them although it should have. */
export function missing(sums: Record<string, number>, names: readonly string[]): string[] {
  return names.filter((name) => !(sums[name]! > 0))
}

/** What every kind of whole-cluster run goes through. */
export const commonEvents = [
  'lost disk',
  'pause',
  'stood still for a second',
  'stood still for a minute',
  'clock jumped by hours',
  'reconnect refused',
  'unsynced write forgotten',
  'lost write',
  'torn write',
  'failed write',
  'failed sync',
  'full disk refused a write',
  'power lost between two saves',
  'power loss of all',
  'replication factor',
  'message overtaken',
  'message repeated',
]
