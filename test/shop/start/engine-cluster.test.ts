import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startEngineCluster, type EngineClusterWorld } from '../../../shop-api/src/start/engine-cluster.ts'
import type { EngineProcessOptions } from '../../../shop-api/src/start/engine-process.ts'
import { setRoster } from '../../../shop-api/src/start/stock-roster.ts'

let parent: string
let folder: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'larder-engines-'))
  folder = join(parent, 'engine')
})
afterEach(() => rmSync(parent, { recursive: true }))

/** Nodes that answer as a cluster does, a few questions later than they were asked for something. */
class Nodes implements EngineClusterWorld {
  readonly started: EngineProcessOptions[] = []
  /** What happened, in order. */
  readonly log: string[] = []
  readonly running = new Set<string>()
  roster = 'null'
  wanted = 'null'
  readonly quiesced = new Set<string>()
  reclustered = false
  /** Questions until a change has come about. */
  delay = 3
  refuses: number | undefined
  readonly end = new Map<string, (reason: string) => void>()

  start = async (options: EngineProcessOptions) => {
    if (this.refuses === options.port) throw new Error(`port ${options.port} is taken`)
    await Promise.resolve()
    this.started.push(options)
    mkdirSync(options.folder, { recursive: true })
    const address = `127.0.0.1:${options.port}`
    this.running.add(address)
    const ended = new Promise<string>((resolve) => this.end.set(address, resolve))
    const stop = async () => {
      await Promise.resolve()
      this.running.delete(address)
      this.log.push(`stop ${address}`)
    }
    return { address, meshAddress: `127.0.0.1:${options.port + 2}`, pid: 1, ended, stop }
  }

  ask = (address: string, command: string): Promise<string> => Promise.resolve(this.#answer(address, command))

  #answer(address: string, command: string): string {
    if (!this.running.has(address)) throw new Error(`nobody at ${address}`)
    const node = `N${address.split(':')[1]}`
    if (command.startsWith('cluster-stable:')) {
      const size = Number(/size=(\d+)/.exec(command)![1])
      return size === this.running.size ? 'KEY' : 'ERROR:7:cluster not specified size'
    }
    if (command === 'node') return node
    if (command.startsWith('roster:')) return this.#rosterText()
    if (command.startsWith('namespace/'))
      return this.roster === 'null' ? 'unavailable_partitions=4096' : 'a=1;unavailable_partitions=0;b=2'
    if (command === 'replicas-master') {
      const holds = !(this.quiesced.has(address) && this.reclustered && --this.delay < 0)
      return `shop:${Buffer.alloc(512, holds ? 5 : 0).toString('base64')};stock:${Buffer.alloc(512).toString('base64')}`
    }
    this.log.push(`${command} at ${address}`)
    if (command.startsWith('roster-set:')) this.wanted = command.split('nodes=')[1]!
    if (command === 'recluster:') {
      this.reclustered = true
      this.delay = 3
    }
    if (command === 'quiesce:') this.quiesced.add(address)
    return 'ok'
  }

  #rosterText(): string {
    if (this.reclustered && this.wanted !== 'null' && --this.delay < 0) {
      this.roster = this.wanted
      this.wanted = 'null'
    }
    return `roster=${this.roster}:pending_roster=${this.wanted}:observed_nodes=null`
  }
}

const lines: string[] = []
const options = (nodes: number, port = 3000) => ({
  ...{ nodes, port, folder, acceptDamage: false },
  onLine: (line: string) => lines.push(line),
})

describe('the engine of the store', () => {
  it('is as many nodes as asked for, each told where all others are, and all of them the roster', async () => {
    const world = new Nodes()
    const cluster = await startEngineCluster(options(3), world)
    expect(cluster.addresses).toEqual(['127.0.0.1:3000', '127.0.0.1:3010', '127.0.0.1:3020'])
    expect(world.started.map(({ folder: own, cluster: at }) => [own, at?.port, at?.seeds])).toEqual([
      [folder, 3002, ['127.0.0.1:3012', '127.0.0.1:3022']],
      [`${folder}-2`, 3012, ['127.0.0.1:3002', '127.0.0.1:3022']],
      [`${folder}-3`, 3022, ['127.0.0.1:3002', '127.0.0.1:3012']],
    ])
    expect(world.log).toEqual([
      'roster-set:namespace=stock;nodes=N3000,N3010,N3020 at 127.0.0.1:3000',
      'recluster: at 127.0.0.1:3000',
    ])
    expect(world.roster).toBe('N3000,N3010,N3020')
    await cluster.stop()
    expect(world.running.size).toBe(0)
  })

  it('leaves a roster alone that is in force', async () => {
    const world = new Nodes()
    world.roster = 'N3010,N3000'
    await startEngineCluster(options(2), world)
    expect(world.log).toEqual([])
  })

  it('of one node that was never one of several stays alone', async () => {
    const world = new Nodes()
    await startEngineCluster(options(1), world)
    expect(world.started.map(({ cluster }) => cluster)).toEqual([undefined])
    expect(world.log).toEqual([])
  })

  it('lets nodes go in order: off the roster, their masterships given away, then stopped, folders put aside', async () => {
    const before = new Nodes()
    await (await startEngineCluster(options(4), before)).stop()
    const world = new Nodes()
    world.roster = 'N3000,N3010,N3020,N3030'
    const cluster = await startEngineCluster(options(2), world)
    expect(world.started).toHaveLength(4)
    expect(cluster.addresses).toEqual(['127.0.0.1:3000', '127.0.0.1:3010'])
    expect(world.log).toEqual([
      'roster-set:namespace=stock;nodes=N3000,N3010 at 127.0.0.1:3000',
      'recluster: at 127.0.0.1:3000',
      'quiesce: at 127.0.0.1:3020',
      'quiesce: at 127.0.0.1:3030',
      'recluster: at 127.0.0.1:3000',
      'stop 127.0.0.1:3020',
      'stop 127.0.0.1:3030',
    ])
    expect(world.roster).toBe('N3000,N3010')
    expect([existsSync(`${folder}-2`), existsSync(`${folder}-3`), existsSync(`${folder}-4`)]).toEqual([
      true,
      false,
      false,
    ])
    expect(readdirSync(parent).filter((name) => name.includes('.left-'))).toHaveLength(2)
    const third = new Nodes()
    third.roster = world.roster
    await startEngineCluster(options(2), third)
    expect(third.started).toHaveLength(2)
  })

  it('that cannot start all nodes starts none', async () => {
    const world = new Nodes()
    world.refuses = 3010
    await expect(startEngineCluster(options(3), world)).rejects.toThrow('port 3010 is taken')
    expect(world.running.size).toBe(0)
  })

  it('goes on without a node that ends, and ends with the last', async () => {
    const world = new Nodes()
    const cluster = await startEngineCluster(options(2), world)
    lines.length = 0
    world.end.get('127.0.0.1:3010')!('The engine node ended (signal SIGKILL)')
    const first = await Promise.race([
      cluster.ended,
      new Promise((resolve) => setTimeout(() => resolve('goes on'), 50)),
    ])
    expect(first).toBe('goes on')
    expect(lines).toEqual([
      'The engine node ended (signal SIGKILL) (node 2 at 127.0.0.1:3010); the others go on',
    ])
    world.end.get('127.0.0.1:3000')!('gone')
    expect(await cluster.ended).toBe('gone')
  })
})

describe('a roster that is refused', () => {
  it('is told in the words of the node', async () => {
    const ask = (_: string, command: string) =>
      Promise.resolve(
        command.startsWith('roster-set')
          ? 'ERROR:4:A1 and A2 both have data from before'
          : 'roster=null:pending_roster=null:observed_nodes=A1',
      )
    await expect(setRoster([{ address: '127.0.0.1:3000' }], ask)).rejects.toThrow(
      'The roster of stock cannot be set: A1 and A2 both have data from before',
    )
  })
})
