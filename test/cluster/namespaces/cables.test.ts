import { execFile } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { TestNetwork } from '../support/test-network.ts'
import type { Found } from './scenario.ts'

const run = promisify(execFile)
const scenario = join(import.meta.dirname, 'scenario.ts')
const missing = TestNetwork.missing()
if (missing !== undefined) skip(`nodes in network namespaces (${missing})`)

function skip(what: string): void {
  if (process.env.LARDER_SKIPS) appendFileSync(process.env.LARDER_SKIPS, `${what}\n`)
}

describe.runIf(missing === undefined)('nodes in network namespaces of their own', () => {
  it.each(['available', 'strong'])(
    '%s: a narrow line shows no error, a pulled cable heals',
    async (consistency) => {
      const network = TestNetwork.create(4)
      try {
        const [program, ...within] = network.within(3)
        const command = [...within, process.execPath, scenario, consistency, JSON.stringify(network.names)]
        const { stdout } = await run(program!, command, { timeout: 55_000 })
        const { done, delayed, failed, broken } = JSON.parse(stdout) as Found
        if (!delayed) skip('delays by tc in network namespaces (this kernel has no netem; the relays delay)')
        expect({ failed, broken }).toEqual({ failed: [], broken: [] })
        expect(done).toBeGreaterThan(500)
      } finally {
        network.remove()
      }
    },
  )
})
