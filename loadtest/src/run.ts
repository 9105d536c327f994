/**
 * `npm run loadtest -- smoke [--url http://127.0.0.1:4000]`: runs a k6 scenario against a store on this machine,
 * one of its own unless told, and afterwards checks that the stock adds up.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { freePort } from '../bench/processes.ts'
import { findK6 } from './k6.ts'
import { auditStock } from './stock-audit.ts'

const scenarios = ['smoke']
const loopback = /^http:\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?\/?$/
const START_LIMIT_MS = 120_000

interface Store {
  readonly url: string
  stop(): Promise<void>
}

async function startStore(folder: string): Promise<Store> {
  const [port, enginePort] = [await freePort(), await freePort()]
  const script = join(import.meta.dirname, '../../shop-api/src/start.ts')
  const flags = ['--port', String(port), '--engine-port', String(enginePort), '--data', join(folder, 'data')]
  const child = spawn(process.execPath, [script, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const ready = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the store did not start in time')), START_LIMIT_MS)
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('Ctrl-C')) resolve(clearTimeout(timer))
    })
    void ended.then(() => reject(new Error('the store ended before it served')))
  })
  const stop = async () => {
    child.kill('SIGINT')
    await ended
  }
  await ready.catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return { url: `http://127.0.0.1:${port}`, stop }
}

interface Summary {
  readonly metrics: Record<string, { readonly count?: number } | undefined>
}

async function runScenario(name: string, url: string, folder: string): Promise<string[]> {
  const k6 = await findK6()
  const before = await auditStock(url)
  const summary = join(folder, 'summary.json')
  const script = join(import.meta.dirname, '../scenarios', `${name}.ts`)
  const child = spawn(k6, ['run', '--quiet', '--summary-export', summary, '-e', `BASE_URL=${url}`, script], {
    stdio: 'inherit',
    env: { ...process.env, K6_NO_USAGE_REPORT: 'true' },
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  const faults = code === 0 ? [] : [`k6 ended with ${String(code)}: a threshold was missed`]
  const after = await auditStock(url)
  const { metrics } = JSON.parse(readFileSync(summary, 'utf8')) as Summary
  const placed = metrics.units_placed?.count ?? 0
  const sold = after.sold - before.sold
  if (sold !== placed) faults.push(`${sold} units left the stock, ${placed} were ordered`)
  console.log(
    `stock audit: ${after.skus} SKUs, ${sold} units sold, ${after.breaches.length} breaches of the law`,
  )
  return [...faults, ...after.breaches]
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { url: { type: 'string' } } })
const name = positionals[0] ?? 'smoke'
if (!scenarios.includes(name)) throw new Error(`no scenario ${name}; there is ${scenarios.join(', ')}`)
if (values.url !== undefined && !loopback.test(values.url))
  throw new Error(`--url ${values.url}: load goes to this machine only, for example http://127.0.0.1:4000`)

const folder = mkdtempSync(join(tmpdir(), 'larder-load-'))
const store = values.url === undefined ? await startStore(folder) : undefined
try {
  const faults = await runScenario(name, (values.url ?? store!.url).replace(/\/$/, ''), folder)
  for (const fault of faults) console.error(fault)
  process.exitCode = faults.length > 0 ? 1 : 0
} finally {
  await store?.stop()
  rmSync(folder, { recursive: true, force: true })
}
