import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { available } from '../../support/requirement.ts'
import { OfficialClient } from '../support/official-client.ts'
import { RealCluster } from '../support/real-cluster.ts'
import { long } from '../support/scene.ts'

const here = join(import.meta.dirname, '../clients')
const namespaces = [{ name: 'shop', replicationFactor: 2, memoryMiB: 64 }]
/** Where what must be compiled is. */
const builds = mkdtempSync(join(tmpdir(), 'larder-clients-'))
const commands = new Map<string, readonly string[]>()

beforeAll(() => {
  if (available('npm-aerospike', 'the Node.js client in a cluster'))
    commands.set('Node.js', [process.execPath, join(here, 'node-client.ts')])
  if (available('python', 'the Python client in a cluster'))
    commands.set('Python', ['python3', join(here, 'python-client.py')])
  if (available('go', 'the Go client in a cluster')) {
    const program = join(builds, 'client')
    execFileSync('go', ['build', '-o', program, '.'], { cwd: join(here, 'go'), stdio: 'inherit' })
    commands.set('Go', [program])
  }
}, 120_000)
afterAll(() => rmSync(builds, { recursive: true }))

/** ms after a node's death in which its clients may find it closed: they look for changes once a second. */
const learnMs = 2000

/**
 * Lets every client work while the cluster is changed; none may miss what it wrote, or see an error but right after a
 * node was killed, when `act` answers.
 */
async function whileAllWork(act: (cluster: RealCluster) => Promise<number | undefined>): Promise<void> {
  const cluster = await RealCluster.start({ size: 3, namespaces })
  const clients = new Map<string, OfficialClient>()
  try {
    for (const [name, command] of commands)
      clients.set(name, await OfficialClient.start(command, [cluster.node(0).port]))
    await sleep(2000)
    const killed = (await act(cluster)) ?? -Infinity
    await sleep(2000)
    const ids = cluster.running.map(({ id }) => id).sort()
    for (const [name, client] of clients) {
      const { done, errors, nodes, wanted, found } = await client.stop()
      const unexpected = errors.filter(({ at }) => at < killed || at > killed + learnMs)
      expect({ name, unexpected, found }).toEqual({ name, unexpected: [], found: wanted })
      expect([...nodes].sort()).toEqual(ids)
      expect(done).toBeGreaterThan(100)
    }
  } catch (error) {
    console.error(cluster.lines())
    throw error
  } finally {
    for (const client of clients.values()) client.kill()
    await cluster.close()
  }
}

describe('the official clients, with the retries of their own policies', () => {
  it('find a node lost, back, and one that is added, and miss nothing', async () => {
    await whileAllWork(async (cluster) => {
      const killed = Date.now()
      await cluster.node(2).kill()
      await sleep(3000)
      await cluster.whenStable()
      await cluster.node(2).start()
      await cluster.whenStable()
      await cluster.add()
      await cluster.whenStable()
      return killed
    })
  })

  it('see no error when nodes are restarted in turn', async () => {
    await whileAllWork(async (cluster) => {
      for (const node of long ? cluster.nodes : cluster.nodes.slice(0, 1)) await cluster.restart(node)
    })
  })
})
