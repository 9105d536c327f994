import { ServerProcess, has, load } from './processes.ts'
import { fixed, median, percent, printTable, thousands } from './table.ts'

/** Batch reads of 100 records on one connection: records per second of one core. */
export async function batchRead(): Promise<void> {
  if (!has('go')) return
  const larder = await ServerProcess.larder([])
  try {
    const keys = 1_000_000
    await load(larder, { fill: true, keys, pipeline: 64, operation: 'write' })
    const runs = []
    for (let round = 0; round < 5; round++)
      runs.push(
        await load(larder, { operation: 'batch', batch: 100, connections: 1, keys, seconds: 2, pipeline: 4 }),
      )
    const cpuPerRecord = runs.map((run) => (run.serverMicros / 100) * 1)
    printTable(
      ['', 'records/s', 'CPU µs/record', 'records per CPU second', 'server busy', 'generator busy'],
      [
        [
          'batch of 100, 1 connection',
          thousands(median(runs.map((run) => run.records / run.seconds))),
          fixed(median(cpuPerRecord), 3),
          thousands(1e6 / median(cpuPerRecord)),
          percent(median(runs.map((run) => run.serverBusy))),
          percent(median(runs.map((run) => run.generatorBusy))),
        ],
      ],
    )
  } finally {
    await larder.stop()
  }
}
