/**
 * Replays the transcripts of the real server against nodes of ours and says what differs.
 *
 *   npm run conformance                          what must be identical by now; exit status 1 if it is not
 *   npm run conformance -- --all                 every transcript there is
 *   npm run conformance -- hand-list hand-map    these
 *   npm run conformance -- --show 10 hand-list   more of what differs (default 3 exchanges a file)
 */
import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { goldenFiles, goldenFolder, isRequired, laterCapability } from './files.ts'
import type { Report } from './worker.ts'

/** Files replayed at once by one process: some of them mostly sleep. */
const AT_ONCE = 3
const workerFile = `${import.meta.dirname}/worker.ts`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { all: { type: 'boolean' }, show: { type: 'string', default: '3' } },
})

const here = goldenFiles()
if (here.length === 0) {
  console.log(`No transcripts in ${goldenFolder}; name their folder with GOLDEN=…. Skipped.`)
  process.exit(process.env.REQUIRE_ALL === '1' ? 1 : 0)
}

function chosen(): string[] {
  if (positionals.length === 0) return values.all ? here : here.filter(isRequired)
  const names = positionals.map((name) => name.replace(/^.*\//, '').replace(/\.jsonl\.gz$/, ''))
  for (const name of names)
    if (!here.includes(name)) {
      console.error(`${name} is not one of the transcripts in ${goldenFolder}`)
      process.exit(2)
    }
  return names
}

/** Runs all files over a few processes; a process that dies fails only the files it had. */
function replayAll(names: readonly string[], show: number): Promise<Map<string, Report>> {
  const reports = new Map<string, Report>()
  const waiting = [...names]
  const started = Date.now()
  return new Promise((resolve) => {
    let running = 0
    const done = (report: Report): void => {
      reports.set(report.name, report)
      if (process.stderr.isTTY) process.stderr.write(`\r${reports.size} of ${names.length} files`)
    }
    const run = (): void => {
      const child: ChildProcess = fork(workerFile)
      const busy = new Set<string>()
      running++
      const next = (): void => {
        while (busy.size < AT_ONCE && waiting.length > 0) {
          const name = waiting.shift()!
          busy.add(name)
          child.send({ name, show })
        }
        if (busy.size === 0) child.disconnect()
      }
      child.on('message', (report: Report) => {
        busy.delete(report.name)
        done(report)
        next()
      })
      child.on('exit', (code, signal) => {
        for (const name of busy)
          done({
            name,
            compared: 0,
            identical: 0,
            unstable: 0,
            differences: [],
            failure: `the node's process ended (${signal ?? code})`,
          })
        if (busy.size > 0 && waiting.length > 0) run()
        if (--running > 0) return
        if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
        console.log(`replayed in ${((Date.now() - started) / 1000).toFixed(0)} s\n`)
        resolve(reports)
      })
      next()
    }
    for (let i = 0; i < Math.min(availableParallelism(), names.length); i++) run()
  })
}

function print(name: string, report: Report): void {
  const state = report.failure ? 'FAILED' : report.identical === report.compared ? 'identical' : 'differs'
  const needs = laterCapability(name)
  const mark = needs
    ? ` (${needs.exchanges} may differ: ${needs.needs})`
    : isRequired(name)
      ? ''
      : ' (not required yet)'
  const count = `${report.identical} of ${report.compared}`
  const unstable = report.unstable > 0 ? `, ${report.unstable} not judged` : ''
  console.log(`${state.padEnd(9)}  ${name.padEnd(36)} ${count.padStart(16)}${unstable}${mark}`)
  if (report.failure) console.log(`    ${report.failure}`)
  for (const difference of report.differences) console.log(`    ${difference}`)
}

const names = chosen()
const reports = await replayAll(names, Number(values.show))
const failed: string[] = []
let identical = 0
let compared = 0
let clean = 0
let waits = 0
for (const name of names) {
  const report = reports.get(name)!
  print(name, report)
  identical += report.identical
  compared += report.compared
  const same = !report.failure && report.identical === report.compared
  const allowed = laterCapability(name)?.exchanges ?? 0
  if (same) clean++
  else if (!report.failure && report.compared - report.identical <= allowed) waits++
  else if (isRequired(name) || positionals.length > 0) failed.push(name)
}
if (failed.length > 0) {
  console.log('\nWhat differs and must not:')
  for (const name of failed) print(name, reports.get(name)!)
}
console.log(
  `\n${clean} of ${names.length} files identical, ${identical} of ${compared} exchanges; ` +
    `${waits} file(s) wait for a later capability, ${failed.length} differ that must not`,
)
process.exit(failed.length > 0 ? 1 : 0)
