import { execFileSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'

const probes = {
  'redis-server': ['redis-server', ['--version']],
  postgresql: ['sh', ['-c', 'command -v initdb || ls /usr/lib/postgresql/*/bin/initdb']],
  go: ['go', ['version']],
  python: ['python3', ['-c', 'import aerospike']],
  'npm-aerospike': [process.execPath, ['-e', 'require("aerospike")']],
  chromium: ['sh', ['-c', 'command -v chromium || command -v chromium-browser || command -v google-chrome']],
  golden: ['sh', ['-c', `ls "${import.meta.dirname}/../../../shared/golden/replay.mjs"`]],
  'shared-data': ['sh', ['-c', `ls "${import.meta.dirname}/../../../shared/data/catalog.json"`]],
} as const satisfies Record<string, readonly [string, readonly string[]]>

export type Requirement = keyof typeof probes

const known = new Map<Requirement, boolean>()

/**
 * True when this machine has what a test needs. When it has not, the skip is written to the file named by
 * LARDER_SKIPS, which the test run lists at its end; with REQUIRE_ALL=1 it is an error instead.
 *
 * @example describe.runIf(available('go', 'the Go client'))('…', () => …)
 */
export function available(requirement: Requirement, whatIsSkipped: string): boolean {
  let found = known.get(requirement)
  if (found === undefined) {
    const [command, args] = probes[requirement]
    try {
      execFileSync(command, args, { stdio: 'ignore', cwd: import.meta.dirname })
      found = true
    } catch {
      found = false
    }
    known.set(requirement, found)
  }
  if (found) return true
  if (process.env.REQUIRE_ALL === '1')
    throw new Error(`${whatIsSkipped}: needs ${requirement}, which is not here`)
  if (process.env.LARDER_SKIPS)
    appendFileSync(process.env.LARDER_SKIPS, `${whatIsSkipped} (needs ${requirement})\n`)
  return false
}
