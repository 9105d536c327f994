/** `npm run bench`: every figure of the README, or those named: `npm run bench -- throughput embedded`. */
import { batchRead } from './batch-read.ts'
import { clusterFailover } from './cluster-failover.ts'
import { clusterMigration } from './cluster-migration.ts'
import { clusterScaleOut } from './cluster-scale-out.ts'
import { clusterWrites } from './cluster-writes.ts'
import { commit } from './commit.ts'
import { embedded } from './embedded.ts'
import { memory } from './memory.ts'
import { productPage } from './product-page.ts'
import { removeTemporaryFolders } from './processes.ts'
import { strongView } from './strong-view.ts'
import { throughput } from './throughput.ts'

const benches: Record<string, { title: string; run: () => Promise<void> }> = {
  throughput: { title: 'Requests on one core, against Redis and a bare echo', run: throughput },
  batch: { title: 'Batch reads', run: batchRead },
  embedded: { title: 'The client on a node in its own process', run: embedded },
  memory: { title: 'Memory, restarts and background work', run: memory },
  'product-page': { title: 'The product page of the store, against a bare route', run: productPage },
  'strong-view': { title: 'A new view of a strong namespace, as its disk sees it', run: strongView },
  commit: { title: 'Writes that wait for the disk', run: commit },
  'cluster-writes': { title: 'Replicated writes against writes to one copy', run: clusterWrites },
  'cluster-failover': { title: 'A node is killed', run: clusterFailover },
  'cluster-scale-out': { title: '1, 2 and 4 nodes with the same CPU each', run: clusterScaleOut },
  'cluster-migration': { title: 'A node joins a cluster with a million records', run: clusterMigration },
}

const named = process.argv.slice(2)
const unknown = named.filter((name) => !(name in benches))
if (unknown.length > 0) {
  console.error(`no such bench: ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`)
  process.exit(2)
}
try {
  for (const [name, bench] of Object.entries(benches)) {
    if (named.length > 0 && !named.includes(name)) continue
    console.log(`${bench.title} (npm run bench -- ${name})`)
    await bench.run()
  }
} finally {
  removeTemporaryFolders()
}
