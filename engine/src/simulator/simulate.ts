/**
 * `npm run simulate -- --seed N` runs one seed; `--runs N` runs that many from it on, and `--forever` does not stop
 * by itself. The first seed that breaks an invariant ends it with the transcript and status 1.
 */
import { parseArgs } from 'node:util'
import { runMembership } from './membership-run.ts'
import type { RunResult } from './run-result.ts'

const kinds: Readonly<Record<string, (seed: number) => RunResult>> = {
  membership: (seed) => runMembership({ seed }),
}

const { values } = parseArgs({
  options: {
    kind: { type: 'string', default: 'membership' },
    seed: { type: 'string', default: '0' },
    runs: { type: 'string', default: '1' },
    forever: { type: 'boolean', default: false },
    /** Prints the transcript of a run that is as it should be, too. */
    transcript: { type: 'boolean', default: false },
  },
})

const first = Number(values.seed)
const runs = values.forever ? Infinity : Number(values.runs)
const run = kinds[values.kind]
if (!run) {
  console.error(`--kind must be one of ${Object.keys(kinds).join(', ')}, not ${values.kind}`)
  process.exitCode = 2
} else if (!Number.isSafeInteger(first) || !(runs > 0)) {
  console.error(`--seed and --runs must be whole numbers, not ${values.seed} and ${values.runs}`)
  process.exitCode = 2
} else process.exitCode = simulate(run, first, first + runs)

function simulate(run: (seed: number) => RunResult, from: number, to: number): number {
  const sums: Record<string, number> = {}
  for (let seed = from; seed < to; seed++) {
    const result = run(seed)
    if (result.violations.length > 0) {
      console.log(result.transcript)
      console.log(`\nseed ${seed}:`)
      for (const violation of result.violations) console.log(`  ${violation}`)
      return 1
    }
    for (const [name, count] of Object.entries(result.counts)) sums[name] = (sums[name] ?? 0) + count
    if (values.transcript) console.log(result.transcript)
    if (values.forever && seed % 1000 === 999) console.log(`seed ${seed}: all held`)
  }
  console.log(`${to - from} runs, all held: ${JSON.stringify(sums)}`)
  return 0
}
