import { createHistogram } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import type { BenchLoad, BenchTally } from './bench-connection.ts'
import { BenchConnection } from './bench-connection.ts'
import type { BenchFrames } from './bench-frames.ts'
import { benchFrames } from './bench-frames.ts'
import type { Command } from './command.ts'
import { CommandError, parseAddress, wholeNumber } from './command.ts'

export const benchCommand: Command = {
  help: `larder bench [flags]

Fills --keys records, then reads and writes random ones. Each connection sends --pipeline requests at once and the
next ones when all answers are there; the latency of a request is the time to its own answer.

  --node host:port     default 127.0.0.1:3000
  --namespace NAME     default test; --set NAME, default bench
  --seconds N          default 10
  --connections N      default 50
  --pipeline N         default 1
  --keys N             default 100000
  --size BYTES         default 100
  --reads PERCENT      default 50
  --no-fill            the records are there already

Examples:
  larder bench
  larder bench --pipeline 16 --reads 100
  larder bench --connections 1 --seconds 3 --size 1000
`,
  async run(args) {
    const options = parse(args)
    const { host, port } = options
    const frames = benchFrames(options.namespace, options.set, options.keys, options.size)
    if (options.fill) {
      let key = 0
      const nextKey = (): number => (key < options.keys ? key++ : -1)
      const load = { keys: options.keys, pipeline: Math.max(16, options.pipeline), reads: 0, fill: true }
      await runLoad(
        { host, port, connections: Math.min(8, options.connections), frames, load, nextKey },
        'fill ',
      )
    }
    const nextKey = (): number => Math.floor(Math.random() * options.keys)
    const load = { keys: options.keys, pipeline: options.pipeline, reads: options.reads / 100, fill: false }
    const errors = await runLoad(
      { host, port, connections: options.connections, frames, load, nextKey, seconds: options.seconds },
      `${options.reads} % reads, ${options.connections} connections, pipeline ${options.pipeline}, ${options.size} bytes:`,
    )
    return errors > 0 ? 1 : 0
  },
}

function parse(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      node: { type: 'string', default: '127.0.0.1:3000' },
      namespace: { type: 'string', default: 'test' },
      set: { type: 'string', default: 'bench' },
      seconds: { type: 'string', default: '10' },
      connections: { type: 'string', default: '50' },
      pipeline: { type: 'string', default: '1' },
      keys: { type: 'string', default: '100000' },
      size: { type: 'string', default: '100' },
      reads: { type: 'string', default: '50' },
      'no-fill': { type: 'boolean', default: false },
    },
  })
  return {
    ...parseAddress(values.node),
    namespace: values.namespace,
    set: values.set,
    seconds: wholeNumber('seconds', values.seconds, 1, 3600),
    connections: wholeNumber('connections', values.connections, 1, 10_000),
    pipeline: wholeNumber('pipeline', values.pipeline, 1, 1000),
    keys: wholeNumber('keys', values.keys, 1, 10_000_000),
    size: wholeNumber('size', values.size, 1, 1_000_000),
    reads: wholeNumber('reads', values.reads, 0, 100),
    fill: !values['no-fill'],
  }
}

interface Run {
  readonly host: string
  readonly port: number
  readonly connections: number
  readonly frames: BenchFrames
  readonly load: BenchLoad
  readonly nextKey: () => number
  /** Without: until `nextKey` has no more. */
  readonly seconds?: number
}

/** Runs one load and prints its line; answers the number of errors. */
async function runLoad(run: Run, title: string): Promise<number> {
  const latency = createHistogram()
  const tally: BenchTally = { requests: 0, errors: 0, notFound: 0, latency }
  const sockets = await Promise.all(
    Array.from({ length: run.connections }, () => BenchConnection.open(run.host, run.port)),
  )
  const connections = sockets.map(
    (socket) => new BenchConnection(socket, run.frames, run.load, tally, run.nextKey),
  )
  const started = performance.now()
  for (const connection of connections) connection.send()
  const timer =
    run.seconds === undefined
      ? undefined
      : setTimeout(() => {
          for (const connection of connections) connection.stop()
        }, run.seconds * 1000)
  await Promise.all(connections.map(({ finished }) => finished))
  clearTimeout(timer)
  const seconds = (performance.now() - started) / 1000
  if (tally.requests === 0) throw new CommandError('the node answered nothing')
  const us = (percentile: number): string => `${(latency.percentile(percentile) / 1000).toFixed(0)} µs`
  const rate = Math.round(tally.requests / seconds).toLocaleString('en')
  console.log(
    `${title} ${rate}/s, p50 ${us(50)}, p99 ${us(99)}, p99.9 ${us(99.9)}, max ${(latency.max / 1000).toFixed(0)} µs` +
      (tally.notFound > 0 ? `, ${tally.notFound} not found` : '') +
      (tally.errors > 0 ? `, ${tally.errors} errors` : ''),
  )
  return tally.errors
}
