/**
 * Runs every vitest project, lists what was skipped and why, and prints the sum last. Arguments: `--long` for the
 * long runs, the rest goes to vitest (a project, a file, `-t name`). REQUIRE_ALL=1 makes a skip a failure.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Report {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: { status: string; assertionResults: unknown[] }[]
}

const top = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'larder-test-'))
const skips = join(folder, 'skips')
const report = join(folder, 'report.json')
writeFileSync(skips, '')

const args = process.argv.slice(2)
const long = args.includes('--long')
const child = spawn(
  process.execPath,
  [
    join(top, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...args.filter((arg) => arg !== '--long'),
  ],
  {
    cwd: top,
    stdio: 'inherit',
    env: { ...process.env, LARDER_SKIPS: skips, ...(long ? { LARDER_LONG: '1' } : {}) },
  },
)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))

child.on('close', (code) => {
  let result: Report | undefined
  try {
    result = JSON.parse(readFileSync(report, 'utf8')) as Report
  } catch {
    console.error('vitest ended without a report')
  }
  const skipped = [...new Set(readFileSync(skips, 'utf8').split('\n').filter(Boolean))].sort()
  rmSync(folder, { recursive: true })
  if (skipped.length > 0) console.log(`\nSkipped:\n${skipped.map((line) => `  ${line}`).join('\n')}`)

  const brokenFiles =
    result?.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
      .length ?? 1
  const unrun = result ? result.numPendingTests + result.numTodoTests : 0
  if (unrun > 0) console.log(`\n${unrun} tests did not run.`)
  const passed = result?.numPassedTests ?? 0
  const failed = (result?.numFailedTests ?? 0) + brokenFiles + (process.env.REQUIRE_ALL === '1' ? unrun : 0)
  console.log(`\n${passed} passed, ${failed} failed`)
  process.exitCode = failed > 0 || code !== 0 ? 1 : 0
})
