import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { has, load, ServerProcess, temporaryFolder } from './processes.ts'
import { printTable, ratio, thousands } from './table.ts'

const SECONDS = 4

/** Writes that are answered once they are on disk, beside what the disk itself syncs. */
export async function commit(): Promise<void> {
  if (!has('go')) return
  const rows: string[][] = []
  for (const connections of [50, 500]) {
    const folder = temporaryFolder('commit')
    const alone = await syncsPerSecond(folder)
    const larder = await ServerProcess.larder(['--folder', folder, '--namespace', 'test,commit'])
    try {
      const flags = { operation: 'write', keys: 100_000, connections, seconds: SECONDS }
      await load(larder, { ...flags, seconds: 1 })
      const run = await load(larder, flags)
      rows.push([
        String(connections),
        thousands(run.perSecond),
        thousands(alone),
        ratio(run.perSecond / alone),
        thousands(run.p50Micros),
        thousands(run.p99Micros),
      ])
    } finally {
      await larder.stop()
    }
  }
  printTable(['connections', 'writes/s', "the disk's syncs/s", 'ratio', 'p50 µs', 'p99 µs'], rows)
}

/** One writer that appends 512 bytes and syncs, again and again. */
async function syncsPerSecond(folder: string): Promise<number> {
  const file = await open(join(folder, 'probe'), 'w')
  const bytes = Buffer.alloc(512)
  const began = performance.now()
  let count = 0
  while (performance.now() - began < SECONDS * 1000) {
    await file.write(bytes, 0, bytes.length, count * bytes.length)
    await file.datasync()
    count++
  }
  const seconds = (performance.now() - began) / 1000
  await file.close()
  return count / seconds
}
