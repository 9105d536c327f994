import { randomBytes } from 'node:crypto'
import { PARTITIONS } from '../values/digest.ts'
import type { ClusterState, Ownership, PartitionFacts } from './cluster-state.ts'
import { serviceAddresses } from './service-addresses.ts'

/** What a lone node is alone with. */
interface Loner {
  readonly id: string
  readonly host: string
  readonly port: number
  readonly startedAt: number
}

/** The cluster of a node that is alone: it is master of everything from the start. */
export class LoneCluster implements ClusterState {
  readonly isClustered = false
  readonly key = randomBytes(6).toString('hex').toUpperCase().replace(/^0+/, '')
  readonly isSettled = true
  readonly generations = { partition: 0, rebalance: 1, peers: 0 }
  readonly peers = []
  readonly alumni = []
  readonly rosters = undefined
  readonly clocks = { bound: 0, skew: 0, outliers: [], refusedTimes: 0 }
  readonly #node: Loner

  constructor(node: Loner) {
    this.#node = node
  }

  get principal(): string {
    return this.#node.id
  }

  get members(): ClusterState['members'] {
    return [{ id: this.#node.id, rack: 0 }]
  }

  get rebalancedAt(): number {
    return this.#node.startedAt
  }

  get addresses(): readonly string[] {
    return serviceAddresses(this.#node.host, this.#node.port)
  }

  get meshAddress(): string {
    return this.addresses[0] ?? ''
  }

  migrationsRemaining(): number {
    return 0
  }

  ownership(): Ownership {
    return allPartitions
  }

  *partitions(): Iterable<PartitionFacts> {
    const facts: Omit<PartitionFacts, 'partition'> = {
      ...{ replicas: 1, replica: 0, succession: 0, duplicates: 0, records: 0 },
      ...{ master: this.#node.id, state: 'S', emigrates: false, immigrates: false },
    }
    for (let partition = 0; partition < PARTITIONS; partition++) yield { partition, ...facts }
  }

  statistics(): ReadonlyMap<string, string | number | boolean> {
    return noStatistics
  }

  quiesce(): void {
    throw new Error('a lone node has nobody to give its partitions to')
  }

  recluster(): void {
    // There is nobody to make a view with.
  }

  tip(): void {
    // Its configuration says that it is alone.
  }
}

const allPartitions: Ownership = {
  regime: 0,
  bitmaps: [Buffer.alloc(PARTITIONS / 8, 0xff).toString('base64')],
}
const noStatistics: ReadonlyMap<string, string | number | boolean> = new Map([
  ['ns_cluster_size', 1],
  ['effective_replication_factor', 1],
])
