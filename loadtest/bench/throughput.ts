import { type Measured, ServerProcess, has, load } from './processes.ts'
import { fixed, median, percent, printTable, ratio, thousands } from './table.ts'

const keys = 1_000_000
const size = 100
const rounds = 3

/** Bytes of one request and answer of the wire protocol as the generator sends them, measured from its frames. */
const messageSizes = { read: [74, 139], write: [183, 30] } as const

/**
 * One node on one core against Redis and against a bare echo of the same message sizes: 50 connections, random
 * keys. The rounds take turns, so that a change in the machine's speed meets all alike; medians are shown.
 */
export async function throughput(): Promise<void> {
  if (!has('go', 'redis-server')) return
  const larder = await ServerProcess.larder([])
  const redis = await ServerProcess.redis()
  const echoes = {
    read: await ServerProcess.echo(...messageSizes.read),
    write: await ServerProcess.echo(...messageSizes.write),
  }
  try {
    await load(larder, { fill: true, keys, size, pipeline: 64, operation: 'write' })
    await load(redis, { protocol: 'redis', fill: true, keys, size, pipeline: 64 })
    const rows: string[][] = []
    for (const pipeline of [1, 16])
      for (const operation of ['read', 'write'] as const)
        rows.push(...(await compare(operation, pipeline, { larder, redis, echo: echoes[operation] })))
    printTable(
      ['', 'op/s', 'vs Redis', 'CPU µs/op', 'vs echo', 'p50 µs', 'p99.9 µs', 'server busy', 'generator busy'],
      rows,
    )
  } finally {
    await Promise.all([larder, redis, echoes.read, echoes.write].map((server) => server.stop()))
  }
}

async function compare(
  operation: 'read' | 'write',
  pipeline: number,
  servers: Record<'larder' | 'redis' | 'echo', ServerProcess>,
): Promise<string[][]> {
  const runs: Record<keyof typeof servers, Measured[]> = { larder: [], redis: [], echo: [] }
  for (let round = 0; round < rounds; round++)
    for (const name of ['larder', 'redis', 'echo'] as const)
      runs[name].push(
        await load(servers[name], {
          protocol: name,
          operation,
          pipeline,
          keys,
          size,
          seconds: 3,
          'answer-size': messageSizes[operation][1],
        }),
      )
  const of = (name: keyof typeof servers, field: keyof Measured) =>
    median(runs[name].map((run) => run[field]))
  return (['larder', 'redis', 'echo'] as const).map((name) => [
    `${operation}, pipeline ${pipeline}, ${name}`,
    thousands(of(name, 'perSecond')),
    ratio(of(name, 'perSecond') / of('redis', 'perSecond')),
    fixed(of(name, 'serverMicros'), 2),
    ratio(of(name, 'serverMicros') / of('echo', 'serverMicros')),
    fixed(of(name, 'p50Micros')),
    fixed(of(name, 'p999Micros')),
    percent(of(name, 'serverBusy')),
    percent(of(name, 'generatorBusy')),
  ])
}
