import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node, NodeConfig } from '@larder/engine'
import { requestInfo, StartError, startNode } from '@larder/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { noView } from '../../../engine/src/cluster/view-id.ts'
import { ClusterFolder } from '../../../engine/src/server/cluster-folder.ts'
import { resolveConfig } from '../../../engine/src/server/config.ts'
import { nodeDisk } from '../../../engine/src/server/node-disk.ts'
import type { Disk } from '../../../engine/src/storage/disk.ts'

const nodes: Node[] = []
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'larder-cluster-'))
})
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close()
  rmSync(folder, { recursive: true })
})

async function start(config: NodeConfig, disk?: Disk): Promise<Node> {
  const node = await startNode({ port: 0, cluster: {}, ...config }, disk ? { disk } : {})
  nodes.push(node)
  return node
}

const facts = (data: Record<string, string | undefined>, id?: string) => ({
  id,
  newId: () => 'A1',
  newIncarnation: () => `incarnation ${Math.random()}`,
  isNew: false,
  data: new Map(Object.entries(data)),
})

describe('a clustered configuration', () => {
  it.each<[NodeConfig, string]>([
    [{ cluster: { seeds: ['nowhere'] } }, 'Setting cluster.seeds is ["nowhere"]; it must be a list of'],
    [{ cluster: { advertise: 'me' } }, 'Setting cluster.advertise is "me"; it must be an address such as'],
    [{ cluster: { port: 70_000 } }, 'Setting cluster.port is 70000; it must be a whole number from 0'],
    [{ cluster: { timeoutMs: 300 } }, 'Setting cluster.timeoutMs is 300; it must be a whole number from 600'],
    [{ port: 65_535, cluster: {} }, 'Setting cluster.port is 65537; it must be a whole number from 0'],
    [
      { namespaces: [{ name: 'a', consistency: 'strong' }] },
      'Namespace a is to be strong but the node is alone; make it one of a cluster',
    ],
    [
      { namespaces: [{ name: 'a', replicationFactor: 0 }] },
      'Setting namespaces[0].replicationFactor is 0; it must be a whole number from 1 to 16',
    ],
  ])('%j is refused with what would be right', (config, message) => {
    expect(() => resolveConfig(config)).toThrow(StartError)
    expect(() => resolveConfig(config)).toThrow(message)
  })

  it('has a port for other nodes two above that for clients', () => {
    expect(resolveConfig({ port: 4000, cluster: {} }).cluster?.port).toBe(4002)
    expect(resolveConfig({ port: 0, cluster: {} }).cluster?.port).toBe(0)
    expect(resolveConfig().cluster).toBeUndefined()
  })
})

describe('a clustered node', () => {
  it('keeps its id and its place in the cluster over restarts', async () => {
    const first = await start({ folder, nodeId: 'c0de' })
    expect(first.id).toBe('C0DE')
    await first.close()
    const again = await start({ folder })
    expect(again.id).toBe('C0DE')
    await again.close()
    await expect(start({ folder, nodeId: 'beef' })).rejects.toThrow(
      `The folder ${folder}/cluster.state is that of node C0DE, not BEEF; leave --node-id out`,
    )
  })

  it('opens the folder of a node that was alone', async () => {
    const alone = await startNode({ port: 0, folder })
    await alone.close()
    const node = await start({ folder })
    expect(readdirSync(folder).sort()).toEqual(['cluster.state', 'test'])
    await node.close()
  })

  it('on a port for other nodes that is taken does not start, and leaves nothing behind', async () => {
    const { meshAddress } = await start({})
    const port = Number(meshAddress?.split(':')[1])
    for (let i = 0; i < 2; i++)
      await expect(startNode({ port: 0, folder, cluster: { port } })).rejects.toThrow(
        `Port 127.0.0.1:${port} is in use by another program; stop it or choose another port with --mesh-port`,
      )
  })

  it('has its promise on disk, folder and all, before it acts in the view', async () => {
    const calls: string[] = []
    const disk: Disk = {
      ...nodeDisk,
      async open(path, mode) {
        const file = await nodeDisk.open(path, mode)
        if (!path.endsWith('promise.state.new')) return file
        return Object.assign(Object.create(file) as typeof file, {
          write: async (...args: Parameters<typeof file.write>) => {
            await file.write(...args)
            calls.push('write')
          },
          sync: async () => {
            await file.sync()
            calls.push('sync')
          },
          close: () => file.close(),
        })
      },
      async rename(from, to) {
        await nodeDisk.rename(from, to)
        if (to.endsWith('promise.state')) calls.push('rename')
      },
      async syncFolder(path) {
        await nodeDisk.syncFolder(path)
        if (path.endsWith('cluster.state')) calls.push('folder')
      },
    }
    const stored = await ClusterFolder.open(disk, `${folder}/cluster.state`, facts({}))
    calls.length = 0
    await stored.savePromise({ number: 7, leader: 'A1', incarnation: 'x' })
    expect(calls).toEqual(['write', 'sync', 'rename', 'folder'])
    await stored.close()
  })
})

describe('a promise', () => {
  it('that is not on disk yet lets the node into no view', async () => {
    let release = (): void => undefined
    const released = new Promise<void>((resolve) => (release = resolve))
    let asked = false
    const disk: Disk = {
      ...nodeDisk,
      async syncFolder(path) {
        if (asked === false && path.endsWith('cluster.state')) {
          const names = await nodeDisk.list(path)
          if (names.includes('promise.state')) {
            asked = true
            await released
          }
        }
        await nodeDisk.syncFolder(path)
      },
    }
    const node = await start({ folder }, disk)
    const generation = async () =>
      (await requestInfo({ host: '127.0.0.1', port: node.port }, ['partition-generation'])).get(
        'partition-generation',
      )
    const until = async (holds: () => boolean | Promise<boolean>) => {
      for (const end = Date.now() + 20_000; !(await holds());) {
        if (Date.now() > end) throw new Error('not within 20 s')
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    await until(() => asked)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(await generation()).toBe('-1')
    release()
    await until(async () => (await generation()) !== '-1')
  })
})

describe('the folder of a clustered node', () => {
  const open = (data: Record<string, string | undefined> = { test: 'data 1' }, id?: string) =>
    ClusterFolder.open(nodeDisk, folder, facts(data, id))
  const copies = {
    test: { at: 7, kinds: [{ regimes: [5], ancestors: [], whole: true }], kindOf: [0, 0], ends: [3, 4] },
  }

  it('gives back what was saved', async () => {
    const first = await open()
    expect(first.promised).toEqual(noView)
    await first.savePromise({ number: 3, leader: 'A1', incarnation: 'x' })
    await first.savePromise({ number: 4, leader: 'A2', incarnation: 'y' })
    await first.saveCopies(copies)
    await first.close()
    const again = await open()
    expect(again.incarnation).toBe(first.incarnation)
    expect(again.promised).toEqual({ number: 4, leader: 'A2', incarnation: 'y' })
    expect(again.copies.get('test')).toEqual(copies.test)
    await again.close()
  })

  it('is that of another node once data is gone, and forgets what it knew of them, not its promise', async () => {
    const first = await open({ test: 'data 1', other: 'data 2' })
    await first.savePromise({ number: 4, leader: 'A1', incarnation: 'x' })
    await first.saveCopies({ ...copies, other: copies.test })
    await first.close()
    const second = await open({ test: 'data 3', other: 'data 2' })
    expect(second.id).toBe(first.id)
    expect(second.incarnation).not.toBe(first.incarnation)
    expect(second.promised.number).toBe(4)
    expect([...second.copies.keys()]).toEqual(['other'])
    await second.close()
    const third = await open({ test: 'data 3', other: 'data 2', more: 'data 4' })
    expect(third.incarnation).toBe(second.incarnation)
    await third.close()
  })

  it('with a damaged file is refused, never taken for an empty one', async () => {
    const first = await open()
    await first.savePromise({ number: 3, leader: 'A1', incarnation: 'x' })
    await first.close()
    const path = `${folder}/promise.state`
    const whole = readFileSync(path, 'utf8')
    for (const bytes of ['', whole.replace('3', '2'), whole.slice(0, -1), whole.split('\n')[1]!]) {
      writeFileSync(path, bytes)
      await expect(open()).rejects.toThrow(`The file ${path} is damaged; put back a copy, or remove`)
    }
    writeFileSync(path, whole.replace('"format":1', '"format":2'))
    await expect(open()).rejects.toThrow(`The file ${path} has format 2, this version reads format 1`)
    // What a crash left of a later one does not count.
    writeFileSync(path, whole)
    writeFileSync(`${path}.new`, 'half a promi')
    const again = await open()
    expect(again.promised.number).toBe(3)
    await again.savePromise({ number: 5, leader: 'A1', incarnation: 'x' })
    expect(existsSync(`${path}.new`)).toBe(false)
    await again.close()
  })

  it("is one process's", async () => {
    const first = await open()
    await expect(open()).rejects.toThrow(`The folder ${folder} is in use by another node`)
    await first.close()
  })
})
