import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Activation } from '../../engine/src/cluster/strong/copy-disk.ts'
import { blankMeta, withActivation } from '../../engine/src/cluster/strong/copy-meta.ts'
import type { WholeFile } from '../../engine/src/cluster/strong/copy-metas.ts'
import { begun, firstLineage } from '../../engine/src/cluster/strong/lineage.ts'
import { StrongCopies } from '../../engine/src/cluster/strong/strong-copies.ts'
import { regimeOf } from '../../engine/src/cluster/regime.ts'
import { noView } from '../../engine/src/cluster/view-id.ts'
import { copiesFile } from '../../engine/src/server/copies-file.ts'
import { nodeDisk } from '../../engine/src/server/node-disk.ts'
import { RecordStore } from '../../engine/src/storage/record-store.ts'
import { strongViewPhases } from './strong-view-phases.ts'
import { fixed, printTable, thousands } from './table.ts'

const partitions = 4096
const records = 400_000

interface Written {
  files: number
  bytes: number
}

/** What a new view costs a node's disk: all 4096 copies of a strong namespace begin a regime and write it down. */
export async function strongView(): Promise<void> {
  await strongViewPhases()

  const folder = mkdtempSync(join(tmpdir(), 'larder-bench-'))
  try {
    const written: Written = { files: 0, bytes: 0 }
    const before = process.memoryUsage()
    const { store, copies } = await open(folder, written)
    for (let i = 0; i < partitions; i++) copies.disk(i).apply({ lineage: firstLineage })
    fill(copies)
    await store.flush()
    const rows: string[][] = []
    for (let view = 1; view <= 64; view++) {
      const row = await enter(view, copies, written)
      if ([1, 2, 8, 64].includes(view)) rows.push([`view ${view}`, ...row])
    }
    const after = process.memoryUsage()
    printTable(['', 'busy ms', 'ms until synced', 'files of metas', 'KB of these'], rows)
    console.log(
      `  ${thousands(records)} records; heap and buffers grew by ${thousands((after.heapUsed - before.heapUsed) / 1e6)} MB and ${thousands((after.arrayBuffers - before.arrayBuffers) / 1e6)} MB`,
    )
    const began = performance.now()
    let found = 0
    for (let i = 0; i < partitions; i++)
      found += copies.disk(i).digestsAbove(copies.disk(i).lineage.state).length
    const quick = performance.now() - began
    for (let i = 0; i < partitions; i++)
      found += copies.disk(i).digestsAbove({ regime: 0, sequence: 1 }).length
    console.log(
      `  versions above the state of all copies: ${fixed(quick)} ms; above their beginning: ${fixed(performance.now() - began - quick)} ms for ${thousands(found)}`,
    )
    const closing = performance.now()
    await copies.close()
    await store.close()
    console.log(`  clean stop ${thousands(performance.now() - closing)} ms`)
    const starting = performance.now()
    const again = await open(folder, written)
    console.log(`  start after it ${thousands(performance.now() - starting)} ms`)
    await again.store.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function open(
  folder: string,
  written: Written,
): Promise<{ readonly store: RecordStore; readonly copies: StrongCopies }> {
  const path = join(folder, 'stock')
  const store = await RecordStore.open({
    clock: Date.now,
    stopwatch: () => performance.now(),
    memoryLimit: 2 ** 31,
    strong: true,
    files: {
      ...{ disk: nodeDisk, folder: path, namespace: 'stock', durability: 'flush', flushMs: 1000 },
      newIncarnation: () => 'bench',
    },
  })
  const real = copiesFile(nodeDisk, path)
  const file: WholeFile = {
    read: () => real.read(),
    write: async (bytes) => {
      written.files++
      written.bytes += bytes.length
      await real.write(bytes)
    },
  }
  const turn = (_: number, run: () => void): void => run()
  const onFault = (error: unknown): void => console.error(error)
  return { store, copies: await StrongCopies.open({ store, partitions, file, turn, onFault }) }
}

function fill(copies: StrongCopies): void {
  const digest = Buffer.alloc(20)
  const bins = Buffer.alloc(100, 'x')
  const sequences = new Array<number>(partitions).fill(0)
  for (let i = 0; i < records; i++) {
    const partition = i % partitions
    digest.writeUInt16LE(partition, 0)
    digest.writeUInt32BE(Math.imul(i, 0x9e3779b1) >>> 0, 3)
    const position = { regime: 0, sequence: ++sequences[partition]! }
    const content = {
      generation: 1,
      voidTime: 0,
      lastUpdate: i,
      set: 's',
      key: bins.subarray(0, 0),
      bins,
      binCount: 1,
    }
    copies.disk(partition).apply({
      entries: [[digest.toString('latin1'), { position, content }]],
      state: position,
    })
  }
}

async function enter(view: number, copies: StrongCopies, written: Written): Promise<string[]> {
  const regime = { number: view, leader: 'A1', incarnation: '0123456789abcdef' }
  const members = ['A1', 'A2', 'A3'].map((id) => ({ id, incarnation: '0123456789abcdef' }))
  const activation: Activation = { regime, previous: noView, members, synced: false }
  const seats = members.map((seat) => ({ ...seat, rack: 0 }))
  const inForce = { seats, replicationFactor: 2, givenUp: [], number: 1, view: noView }
  const rosters = { inForce }
  const { bytes, files } = written
  const began = performance.now()
  const waits: Promise<void>[] = []
  for (let i = 0; i < partitions; i++) {
    const disk = copies.disk(i)
    const { horizon, truncations, lineage } = disk
    disk.apply({ horizon, truncations, lineage: begun(lineage, regimeOf(regime)) })
    disk.keep(withActivation(view === 1 ? blankMeta : disk.meta, { activation, rosters }, true))
    waits.push(new Promise((resolve) => disk.whenSynced('data', resolve)))
    waits.push(new Promise((resolve) => disk.whenSynced('meta', resolve)))
  }
  const busy = performance.now() - began
  await Promise.all(waits)
  const all = performance.now() - began
  const kinds = [written.files - files, (written.bytes - bytes) / 1000]
  return [fixed(busy), fixed(all), ...kinds.map(thousands)]
}
