/** `npm run simulate`: whole clusters and short schedules, each driven by a seed. */
import { parseArgs } from 'node:util'
import { PARTITIONS } from '../values/digest.ts'
import { runCluster } from './cluster-run.ts'
import { runMembership } from './membership-run.ts'
import type { RunResult } from './run-result.ts'
import { runStrongCluster } from './strong-cluster-run.ts'
import { runStrong } from './strong-run.ts'
import { runScene } from './strong-scenes.ts'

interface Wishes {
  readonly lines?: number | undefined
  readonly partitions?: number | undefined
}
type Run = (seed: number, wishes: Wishes) => RunResult | Promise<RunResult>

const kinds: Readonly<Record<string, Run>> = {
  membership: (seed) => runMembership({ seed }),
  losses: (seed, wishes) => runCluster({ seed, kind: 'losses', ...wishes }),
  splits: (seed, wishes) => runCluster({ seed, kind: 'splits', ...wishes }),
  strong: (seed) => runStrong({ seed }),
  scenes: (seed) => runScene(seed),
  'strong-cluster': (seed, wishes) => runStrongCluster({ seed, ...wishes }),
}

const usage = `npm run simulate -- [--kind KIND] [--seed N] [--runs N] [--forever] [--transcript] [--lines N]

Runs one seed of every kind. The first run that breaks an invariant ends it with its transcript and status 1.

  --kind KIND     one of ${Object.keys(kinds).join(', ')}
  --seed N        the first seed (0)
  --runs N        so many seeds from it on (1)
  --forever       does not stop by itself
  --transcript    also of runs that are as they should be
  --partitions N  of whole clusters (16)
  --lines N       lines of a transcript; without, those of the last seconds

Examples:
  npm run simulate -- --seed 7 --kind losses --transcript
  npm run simulate -- --kind strong --runs 100000`

const options = {
  kind: { type: 'string' },
  seed: { type: 'string', default: '0' },
  runs: { type: 'string', default: '1' },
  forever: { type: 'boolean', default: false },
  transcript: { type: 'boolean', default: false },
  partitions: { type: 'string' },
  lines: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

function readArguments() {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    process.exit(2)
  }
}

const values = readArguments()
const first = Number(values.seed)
const runs = values.forever ? Infinity : Number(values.runs)
const numberOf = (text: string | undefined) => (text === undefined ? undefined : Number(text))
const wishes = { lines: numberOf(values.lines), partitions: numberOf(values.partitions) }
const chosen = Object.entries(kinds).filter(([kind]) => values.kind === undefined || kind === values.kind)
if (values.help) console.log(usage)
else if (chosen.length === 0) {
  console.error(`--kind must be one of ${Object.keys(kinds).join(', ')}, not ${values.kind}`)
  process.exitCode = 2
} else if (!Number.isSafeInteger(first) || !(runs > 0)) {
  console.error(`--seed and --runs must be whole numbers, not ${values.seed} and ${values.runs}`)
  process.exitCode = 2
} else if (!isPartitionCount(wishes.partitions)) {
  console.error(`--partitions must be a power of two up to ${PARTITIONS}, not ${values.partitions}`)
  process.exitCode = 2
} else process.exitCode = await simulate(first, first + runs)

function isPartitionCount(count = 16): boolean {
  return Number.isInteger(Math.log2(count)) && count >= 1 && count <= PARTITIONS
}

async function simulate(from: number, to: number): Promise<number> {
  const sums: Record<string, Record<string, number>> = {}
  for (let seed = from; seed < to; seed++) {
    for (const [kind, run] of chosen) {
      const result = await run(seed, wishes)
      const { violations, counts } = result
      if (violations.length > 0) {
        console.log(result.transcript)
        console.log(`\nseed ${seed} of ${kind}:`)
        for (const violation of violations) console.log(`  ${violation}`)
        return 1
      }
      if (values.transcript) console.log(result.transcript)
      const sum = (sums[kind] ??= {})
      for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count
    }
    if (values.forever && seed % 100 === 99) console.log(`seed ${seed}: all held`)
  }
  console.log(`${to - from} seeds, all held: ${JSON.stringify(sums)}`)
  return 0
}
