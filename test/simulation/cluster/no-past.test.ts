import { expect, it } from 'vitest'
import { checkConvergence } from '../../../engine/src/simulator/cluster-checks.ts'
import { ClusterClients } from '../../../engine/src/simulator/cluster-clients.ts'
import { ClusterStage } from '../../../engine/src/simulator/cluster-stage.ts'
import { Random } from '../../../engine/src/simulator/random.ts'

// After an unclean stop a node holds data of which it cannot say where they come from (C6).
it('gives an empty replica what a master holds whose copies have no past', async () => {
  const setting = { nodes: 2, partitions: 16, replicationFactor: 2, racks: 1, durability: 'flush' } as const
  const stage = new ClusterStage(new Random(1), setting)
  const [one, other] = stage.nodes
  one!.start()
  await stage.settle([one!])
  const clients = new ClusterClients(stage.world, [one!], 12)
  for (let i = 0; i < 6; i++) clients.start()
  await stage.wait(3000)
  clients.stop()
  await stage.wait(3000)
  const before = one!.running!.store.objects
  expect(before).toBeGreaterThan(3)
  one!.crash('kill')
  one!.start()
  other!.start()
  await stage.settle()
  expect(stage.violations).toEqual([])
  expect(one!.running!.store.objects).toBe(before)
  expect(checkConvergence(stage.world, stage.nodes)).toEqual([])
})
