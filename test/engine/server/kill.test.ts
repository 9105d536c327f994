import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Client, connect } from '@larder/engine'
import { expect, it } from 'vitest'

const kills = process.env.LARDER_LONG === '1' || process.env.REQUIRE_ALL === '1' ? 200 : 25
const keys = 40
const larder = join(
  dirname(createRequire(import.meta.url).resolve('@larder/engine/package.json')),
  'src/cli/larder.ts',
)

/** One version, undefined for a delete, and whether its writer was told that it is done. */
interface Version {
  readonly value: number | undefined
  isDone: boolean
}

async function startNode(folder: string): Promise<{ child: ChildProcess; host: string }> {
  const namespaces = ['--namespace', 'one,commit', '--namespace', 'two,flush,flushMs=5']
  const child = spawn(
    process.execPath,
    [larder, 'server', '--port', '0', '--folder', folder, ...namespaces],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const host = await new Promise<string>((resolve, reject) => {
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += String(chunk)
      const found = /serves (\S+:\d+)/.exec(said)
      if (found) resolve(found[1]!)
    })
    child.once('exit', () => reject(new Error(`the node ended: ${said}`)))
  })
  return { child, host }
}

/** Writes and deletes in several lanes at once until the node is gone. */
async function write(
  client: Client,
  histories: Version[][],
  namespace: string,
  round: number,
): Promise<void> {
  const lane = async (first: number): Promise<void> => {
    for (let step = 0; ; step++) {
      const id = (first + step * 8) % keys
      const version: Version = {
        value: (step + round) % 5 === 0 ? undefined : round * 100_000 + step,
        isDone: false,
      }
      histories[id]!.push(version)
      const key = { namespace, set: 'kill', key: id }
      if (version.value === undefined) await client.remove(key)
      else await client.put(key, { v: version.value, text: 'x'.repeat(step % 300) })
      version.isDone = true
    }
  }
  await Promise.allSettled(Array.from({ length: 8 }, (_, first) => lane(first)))
}

/** The kernel keeps what the process wrote, so `commit` must keep all that was answered; `flush` its older part. */
it(`keeps what was answered through ${kills} kills, deletes included`, { timeout: 600_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'larder-kill-'))
  const histories: Version[][] = Array.from({ length: keys }, () => [{ value: undefined, isDone: true }])
  const ignored: Version[][] = Array.from({ length: keys }, () => [])
  let done = 0
  let running: ChildProcess | undefined
  try {
    for (let round = 0; round < kills; round++) {
      const { child, host } = await startNode(folder)
      running = child
      const exited = new Promise((resolve) => child.once('exit', resolve))
      const client = await connect({ hosts: [host] })
      for (let id = 0; id < keys; id++) {
        const found = await client.get({ namespace: 'one', set: 'kill', key: id })
        const history = histories[id]!
        const last = history.findLastIndex(({ isDone }) => isDone)
        const value = found?.bins.v
        expect(
          history.slice(last).map((version) => version.value),
          `round ${round}, key ${id}`,
        ).toContain(value)
        if (found) expect(String(found.bins.text)).toMatch(/^x*$/)
        done += last
        histories[id] = [{ value: typeof value === 'number' ? value : undefined, isDone: true }]
      }
      const writing = Promise.all([
        write(client, histories, 'one', round),
        write(client, ignored, 'two', round),
      ])
      await new Promise((resolve) => setTimeout(resolve, 20 + ((round * 37) % 90)))
      child.kill('SIGKILL')
      await exited
      await client.close()
      await writing
    }
  } finally {
    running?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  expect(done).toBeGreaterThan(kills * 10)
})
