import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kill } from 'node:process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { requestInfo } from '../../../engine/src/cli/info-request.ts'
import { eventually } from '../../support/eventually.ts'

const program = join(import.meta.dirname, '../../../engine/src/cli/larder.ts')
let folder: string
let child: ChildProcess | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'larder-group-'))
})
afterEach(async () => {
  // Nodes end with their parent, however that ends.
  if (child?.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  rmSync(folder, { recursive: true, maxRetries: 20, retryDelay: 200 })
})

/** Ports that are free now: of each node the service port and the one two above it. */
async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const base = 20_000 + 10 * Math.floor(Math.random() * 1000)
    const wanted = Array.from({ length: count }, (_, i) => [base + 10 * i, base + 10 * i + 2]).flat()
    const opened = await Promise.allSettled(wanted.map(open))
    for (const result of opened) if (result.status === 'fulfilled') result.value.close()
    if (opened.every(({ status }) => status === 'fulfilled')) return base
  }
  throw new Error('no free ports')
}

function open(port: number): Promise<Server> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

function group(...flags: string[]): { said: () => string; err: () => string; process: ChildProcess } {
  const process_ = spawn(process.execPath, [program, 'server', ...flags], { cwd: folder, stdio: 'pipe' })
  child = process_
  let [out, err] = ['', '']
  process_.stdout.on('data', (chunk) => (out += String(chunk)))
  process_.stderr.on('data', (chunk) => (err += String(chunk)))
  return { said: () => out, err: () => err, process: process_ }
}

const ask = async (port: number, name: string): Promise<string> =>
  (await requestInfo({ host: '127.0.0.1', port }, [name])).get(name) ?? ''

const isGone = (port: number): Promise<boolean> =>
  ask(port, 'node').then(
    () => false,
    () => true,
  )

async function allServe(count: number, said: () => string): Promise<void> {
  const numbers = Array.from({ length: count }, (_, i) => i + 1)
  const serve = () => numbers.every((n) => said().includes(`node ${n} | Node `))
  await eventually(serve, { what: `${count} nodes to serve`, ms: 20_000, seen: said })
}

async function oneView(size: number, port: number): Promise<void> {
  const key = () => ask(port, `cluster-stable:size=${size};ignore-migrations=true`)
  const isOne = async () => /^[0-9A-F]+$/.test(await key())
  await eventually(isOne, { what: `a view of ${size}`, ms: 20_000, seen: key })
}

describe('larder server --nodes', { timeout: 60_000 }, () => {
  it('runs that many nodes as one cluster, tells when one ends, and ends all when asked to', async () => {
    const base = await freePorts(3)
    const ports = [base, base + 10, base + 20]
    const { said, process } = group('--nodes', '3', '--port', String(base), '--folder', folder)
    await allServe(3, said)
    await oneView(3, base)
    expect([1, 2, 3].map((n) => existsSync(join(folder, `node-${n}`, 'cluster.state')))).toEqual([
      true,
      true,
      true,
    ])
    expect(await ask(base, 'racks:')).toMatch(/^ns=test:rack_0=\w+,\w+,\w+$/)

    const second = Number(readFileSync(join(folder, 'node-2/test/LOCK.holder'), 'utf8'))
    kill(second, 'SIGKILL')
    const line = 'node 2 | ended by SIGKILL; the others go on. To start it again: larder'
    await eventually(() => said().includes(line), { what: 'the word that a node has ended', ms: 20_000 })
    await oneView(2, base)

    process.kill('SIGINT')
    const [code] = (await once(process, 'close')) as [number]
    expect(code).toBe(0)
    expect(await Promise.all(ports.map(isGone))).toEqual([true, true, true])
  })

  it('ends the others when one cannot start, and says why in one line', async () => {
    const base = await freePorts(2)
    const taken = await open(base + 12)
    try {
      const { err, process } = group('--nodes', '2', '--port', String(base))
      const [code] = (await once(process, 'close')) as [number]
      expect(code).toBe(1)
      expect(err()).toBe(
        `larder: node 2 did not start (with exit status 1): larder: Port 127.0.0.1:${base + 12} is in use by another program; stop it or choose another port with --mesh-port (0 takes any free one)\n`,
      )
      expect(await isGone(base)).toBe(true)
    } finally {
      taken.close()
    }
  })

  it('leaves no node behind when it is killed', async () => {
    const base = await freePorts(2)
    const { said, process } = group('--nodes', '2', '--port', String(base))
    await allServe(2, said)
    process.kill('SIGKILL')
    const areGone = async () => (await isGone(base)) && (await isGone(base + 10))
    await eventually(areGone, { what: 'both nodes to be gone', ms: 20_000 })
  })

  it.each([
    [['--nodes', '2', '--node-id', 'A1'], '--nodes and --node-id do not go together'],
    [['--nodes', '2', '--port', '0'], '--nodes needs ports that are known'],
    [['--nodes', '0'], '--nodes 0: must be a whole number from 1 to 64'],
  ])('%j is refused', async (flags, line) => {
    const { err, process } = group(...flags)
    await once(process, 'close')
    expect(err()).toContain(`larder: ${line}`)
  })
})
