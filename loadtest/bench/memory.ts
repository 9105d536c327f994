import { connect } from '@larder/engine'
import { has, load, type Measured, ServerProcess, temporaryFolder } from './processes.ts'
import { fixed, printTable, ratio, thousands } from './table.ts'

const keys = 1_000_000
const updates = 5_000_000

/** A million records of 100 bytes in files: memory, restarts, and what background work does to reads. */
export async function memory(): Promise<void> {
  if (!has('go')) return
  const folder = temporaryFolder('memory')
  const args = ['--folder', folder, '--namespace', 'test,flush,memoryMiB=4096']
  let larder = await ServerProcess.larder(args, { traceGc: true })
  try {
    const empty = larder.memoryBytes()
    await load(larder, { fill: true, keys, pipeline: 64, operation: 'write' })
    const filled = larder.memoryBytes()
    const rate = await update(larder)
    const updated = larder.memoryBytes()
    const { longestGcMs } = larder
    await larder.stop('SIGKILL')
    larder = await ServerProcess.larder(args)
    const afterKill = larder.startedInMs
    await larder.stop()
    larder = await ServerProcess.larder(args)
    const afterStop = larder.startedInMs
    // The first time, the code of both is compiled meanwhile on the same core.
    const { busy: first } = await readsBesideWork(larder)
    const { quiet, busy: again } = await readsBesideWork(larder)
    printTable(
      ['1 million records of 100 bytes', '', 'goal'],
      [
        ['bytes a record all in, after loading', thousands(filled / keys), '230'],
        ['bytes a record all in, after 5 million random updates', thousands(updated / keys), '230'],
        ['  of these the empty process', thousands(empty / keys), ''],
        ['updates/s meanwhile, pipeline 16', thousands(rate), ''],
        ['longest garbage collection until then, ms', fixed(longestGcMs), ''],
        ['start after kill -9, ms', thousands(afterKill), '1,500'],
        ['start after a clean stop, ms', thousands(afterStop), '1,000'],
        ['p99.9 of reads, quiet, µs', thousands(quiet.p999Micros), ''],
        ['  while a million others are taken out and compacted, µs', thousands(again.p999Micros), ''],
        ['  ratio', ratio(again.p999Micros / quiet.p999Micros), 'below 2×'],
        ['  the same for the first time after a start, µs', thousands(first.p999Micros), ''],
        ['  ratio', ratio(first.p999Micros / quiet.p999Micros), ''],
      ],
    )
  } finally {
    await larder.stop()
  }
}

/** Random updates, in stretches, until there were enough; answers how many a second. */
async function update(larder: ServerProcess): Promise<number> {
  let operations = 0
  let seconds = 0
  while (operations < updates) {
    const run = await load(larder, { operation: 'write', keys, connections: 8, pipeline: 16, seconds: 5 })
    operations += run.operations
    seconds += run.seconds
  }
  return operations / seconds
}

/** Reads at a pace the node can hold, first alone, then while a truncation and the compaction after it go on. */
async function readsBesideWork(larder: ServerProcess): Promise<{ quiet: Measured; busy: Measured }> {
  await load(larder, { fill: true, keys, pipeline: 64, operation: 'write', set: 'others' })
  const reads = { operation: 'read', keys, connections: 4, seconds: 4 }
  await load(larder, reads)
  const quiet = await load(larder, reads)
  const client = await connect({ hosts: [`127.0.0.1:${larder.port}`] })
  await client.info('truncate:namespace=test;set=others')
  const busy = await load(larder, reads)
  await client.close()
  return { quiet, busy }
}
