/** Strong copies on a simulated disk, in few partitions. */
import { type WholeFile } from '../../../engine/src/cluster/strong/copy-metas.ts'
import { StrongCopies } from '../../../engine/src/cluster/strong/strong-copies.ts'
import type { SimulatedDisk, SimulatedDiskOptions } from '../../../engine/src/simulator/disk.ts'
import type { Random } from '../../../engine/src/simulator/random.ts'
import { RecordStore } from '../../../engine/src/storage/record-store.ts'
import { readWhole, writeWhole } from '../../../engine/src/storage/whole-file.ts'

export const folder = '/data'
export const partitions = 16

/** Digests whose order is that of their bytes with so few partitions. */
export function digestOf(partition: number, key: number): string {
  const bytes = Buffer.alloc(20)
  bytes[0] = partition
  bytes.writeUInt32BE(Math.imul(key + 1, 0x9e3779b1) >>> 0, 2)
  return bytes.toString('latin1')
}

export interface Run {
  store: RecordStore
  copies: StrongCopies
}

export interface Setting {
  readonly durability: 'flush' | 'commit'
  readonly segmentBytes: number
}

export async function open(disk: SimulatedDisk, { durability, segmentBytes }: Setting): Promise<Run> {
  const store = await RecordStore.open({
    clock: () => 0,
    stopwatch: () => 0,
    memoryLimit: 1 << 30,
    partitions,
    segmentBytes,
    idleBytes: 0,
    strong: true,
    files: { disk, folder, namespace: 'n', durability, flushMs: 100, newIncarnation: () => 'i' },
  })
  const file: WholeFile = {
    read: () => readWhole(disk, `${folder}/copies`),
    write: (bytes) => writeWhole(disk, folder, 'copies', bytes),
  }
  const turn = (_: number, run: () => void): void => run()
  const onFault = (error: unknown): never => {
    throw error
  }
  const copies = await StrongCopies.open({ store, partitions, file, turn, onFault })
  return { store, copies }
}

/** Syncs take a while, so that power fails between a write and its sync. */
export function slowDisk(random: Random): SimulatedDiskOptions {
  return {
    random: () => random.fraction(),
    before: async (call) => {
      if (call === 'sync') for (let wait = random.below(8); wait > 0; wait--) await pause()
    },
  }
}

export const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
