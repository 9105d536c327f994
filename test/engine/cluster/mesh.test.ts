import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { NamespaceCopies } from '../../../engine/src/cluster/namespace-copies.ts'
import { noView } from '../../../engine/src/cluster/view-id.ts'
import { Namespace } from '../../../engine/src/namespace/namespace.ts'
import { newNamespaceSettings } from '../../../engine/src/namespace/namespace-config.ts'
import { ClusterHost } from '../../../engine/src/server/mesh/cluster-host.ts'
import {
  newPartitionFrame,
  packParcel,
  packPartitionFrame,
  ParcelReader,
} from '../../../engine/src/server/mesh/parcel.ts'
import type { PartitionFrameWriter } from '../../../engine/src/server/mesh/partition-frame.ts'
import type { PartitionBody, PartitionMessage } from '../../../engine/src/cluster/data-message.ts'
import { countRequest, readRequest } from '../../../engine/src/simulator/request-body.ts'
import { newView } from '../../../engine/src/storage/record.ts'
import { RecordStore } from '../../../engine/src/storage/record-store.ts'
import { digestOf } from '../../../engine/src/values/digest.ts'
import { ask, sizeOf, until } from './cluster-hosts.ts'

const partitions = 256
const hosts: ClusterHost[] = []
let notes: string[] = []

afterEach(async () => {
  notes = []
  for (const host of hosts.splice(0)) await host.close()
})

async function startHost(id: string, seeds: readonly string[], cluster = 'test'): Promise<ClusterHost> {
  const store = await RecordStore.open({
    clock: Date.now,
    stopwatch: () => performance.now(),
    memoryLimit: 1 << 28,
    partitions,
    tombstoneLife: 86_400_000,
  })
  const settings = newNamespaceSettings({ nsupPeriod: 0 })
  const copies = new NamespaceCopies(new Namespace('test', settings, store, Date.now, newView()), partitions)
  const host = await ClusterHost.start({
    self: { id, incarnation: `folder of ${id}`, start: `start of ${id}` },
    cluster,
    host: '127.0.0.1',
    port: 0,
    seeds,
    rack: 0,
    namespaces: [{ name: 'test', store: copies, replicationFactor: 2 }],
    promised: noView,
    savePromise: () => Promise.resolve(),
    saveCopies: () => Promise.resolve(),
    saveMetadata: () => Promise.resolve(),
    onNote: (line) => notes.push(line),
  })
  hosts.push(host)
  return host
}

function isSettled(host: ClusterHost): boolean {
  return [...host.node.namespaces.values()].every(({ unsettled, misplaced }) => unsettled + misplaced === 0)
}

const nameOf = (key: number) => ({ namespace: 'test', set: 's', digest: digestOf('s', key) })

describe('nodes on sockets', () => {
  it('find each other through one seed, share what is written, and lose nothing when one dies', async () => {
    const first = await startHost('A1', [])
    const second = await startHost('A2', [first.address])
    const third = await startHost('A3', [second.address])
    const all = [first, second, third]
    await until('three in one view', () => all.every((host) => sizeOf(host) === 3 && isSettled(host)))
    expect(new Set(all.map((host) => host.node.serving)).size).toBe(1)

    const keys = Array.from({ length: 300 }, (_, i) => i)
    for (const key of keys) {
      const answer = await ask(all[key % 3]!, 'test', countRequest(nameOf(key), `${key}.`))
      expect(answer).toEqual({ code: 0, text: `${key}.` })
    }

    await third.close()
    const left = [first, second]
    await until('two in one view', () => left.every((host) => sizeOf(host) === 2))
    for (const key of keys) {
      expect(await ask(left[key % 2]!, 'test', readRequest(nameOf(key)))).toEqual({
        code: 0,
        text: `${key}.`,
      })
      expect((await ask(left[key % 2]!, 'test', countRequest(nameOf(key), '-'))).code).toBe(0)
    }
  })

  it('need no time-out to see that a process has ended', { timeout: 60_000 }, async () => {
    const first = await startHost('D1', [])
    const second = await startHost('D2', [first.address])
    const left = [first, second]
    // On a machine that is busy with other things one try may be slow.
    let fastest = Infinity
    for (let tries = 0; tries < 4 && fastest > 1000; tries++) {
      const victim = await startHost(`D${3 + tries}`, [first.address])
      const all = [...left, victim]
      await until('three in one view', () => all.every((host) => sizeOf(host) === 3 && isSettled(host)))
      // The connections close and the port is closed: that is how a killed process looks from outside.
      await victim.close()
      const took = await until('two in one view', () => left.every((host) => sizeOf(host) === 2))
      fastest = Math.min(fastest, took)
    }
    // Silence alone would take the time-out of 1.5 s and more.
    expect(fastest).toBeLessThan(1000)
  })

  it('keep to their own cluster', async () => {
    const first = await startHost('B1', [])
    await startHost('B2', [first.address], 'another')
    const third = await startHost('B3', [first.address])
    await until('two of one cluster in a view', () => sizeOf(first) === 2 && sizeOf(third) === 2)
    expect(first.node.membership.active?.members.map(({ id }) => id).sort()).toEqual(['B1', 'B3'])
    const refusals = notes.filter((line) => line.includes('is of cluster another, not test; refused'))
    expect(refusals).toHaveLength(1)
    const line = `mesh: ${first.address} is of cluster test, this node of another; not joined. Give both the same --cluster-name`
    expect(notes.filter((note) => note === line)).toHaveLength(1)
  })

  it('say once that a seed cannot be reached', async () => {
    await startHost('E1', ['127.0.0.1:1'])
    const line = 'mesh: nobody can be reached at the seed 127.0.0.1:1; trying on. Is a node running there?'
    await until('a word about the seed', () => notes.includes(line))
    expect(notes).toEqual([line])
  })

  it('close a connection on which something else is spoken', async () => {
    const first = await startHost('C1', [])
    const socket = await connectTo(first.address)
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.write('GET / HTTP/1.1\r\n\r\n')
    await closed
  })
})

describe('parcels', () => {
  const hello = {
    kind: 'hello',
    cluster: 'c',
    from: { id: 'A1', incarnation: 'x', start: 'y' },
    address: '127.0.0.1:1',
    known: [['A2', '127.0.0.1:2']],
  } as const

  it('come out whole however they are cut', () => {
    const message = {
      kind: 'proxy',
      view: '1@A1.x',
      to: hello.from,
      requests: [{ namespace: 'test', id: 2 ** 40, body: Buffer.from([1, 2, 3]), time: 1000, isRow: false }],
    } as const
    const parcels = [hello, { kind: 'message', from: hello.from, message }] as const
    const bytes = Buffer.concat(parcels.map(packParcel))
    for (const size of [1, 7, 64, bytes.length]) {
      const reader = new ParcelReader()
      const found = []
      for (let at = 0; at < bytes.length; at += size)
        found.push(...reader.read(bytes.subarray(at, at + size)))
      expect(found).toEqual(parcels)
    }
  })

  it('hold many messages about partitions, each as it was said', () => {
    const regimes = [3, 2 ** 52 + 1]
    const past = { regimes, ends: [0, 2 ** 40] }
    const ancestors = [
      [7, [1, 2, 3]],
      [8, regimes],
    ] as const
    const version = {
      ...{ digest: Buffer.alloc(20, 1), regime: 2 ** 52 + 1, sequence: 2 ** 40, deleted: false },
      ...{
        generation: 65_535,
        voidTime: 2 ** 32 - 1,
        lastUpdate: 1_790_000_000_000,
        set: 'naïve',
        binCount: 2,
      },
      ...{ key: Buffer.from('\x03key'), bins: Buffer.alloc(70_000, 5) },
    }
    const gone = {
      ...version,
      deleted: true,
      set: '',
      key: Buffer.alloc(0),
      bins: Buffer.alloc(0),
      binCount: 0,
    }
    const [after, next] = [Buffer.alloc(20, 2), Buffer.alloc(20, 3)]
    const bodies: PartitionBody[] = [
      {
        kind: 'stream',
        position: 2 ** 40,
        entries: [
          { kind: 'begin', regimes },
          { kind: 'write', version },
          { kind: 'cut', regime: 3, end: -1 },
          { kind: 'give', version: gone },
          { kind: 'whole', past },
        ],
      },
      { kind: 'applied', position: 9 },
      { kind: 'take', past, after: undefined },
      { kind: 'take', past: { regimes: [], ends: [] }, after },
      { kind: 'taken', after, versions: [version, gone], next, past, ancestors },
      { kind: 'taken', after: undefined, versions: [], next: undefined, past, ancestors: [] },
      { kind: 'ask', digest: after },
      { kind: 'told', digest: after, version, past, ancestors },
      { kind: 'told', digest: after, version: undefined, past, ancestors: [] },
      { kind: 'query', wantsPast: true },
      { kind: 'settled', past: undefined },
      { kind: 'settled', past },
    ]
    const said = bodies.map((body, index) => {
      return { view: '1@A1.x', namespace: 'test', partition: index * 300, ...body }
    })
    const frame = newPartitionFrame('1@A1.x', 'test')
    for (const message of said) frame.add(message)
    const bytes = Buffer.concat([packParcel(hello), packPartitionFrame(frame), packParcel(hello)])
    for (const size of [1, 1000, 65_536, bytes.length]) {
      const reader = new ParcelReader()
      const found: PartitionMessage[] = []
      let hellos = 0
      for (let at = 0; at < bytes.length; at += size) {
        for (const parcel of reader.read(Buffer.from(bytes.subarray(at, at + size)))) {
          if (parcel.kind === 'partitions') found.push(...parcel.messages)
          else hellos++
        }
      }
      expect(found).toEqual(said)
      expect(hellos).toBe(2)
    }
    for (const parcel of new ParcelReader().read(packPartitionFrame(cutShort(said)))) {
      expect(() => (parcel.kind === 'partitions' ? [...parcel.messages] : [])).toThrow('ends too early')
    }
  })

  it('of another version and of no sense are refused', () => {
    const bytes = packParcel(hello)
    bytes[4] = 9
    expect(() => [...new ParcelReader().read(bytes)]).toThrow('version 9, not 1')
    const huge = Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 0])
    expect(() => [...new ParcelReader().read(huge)]).toThrow('more than')
    const odd = Buffer.from([0, 0, 0, 1, 1, 0, 7])
    expect(() => [...new ParcelReader().read(odd)]).toThrow('no parcel')
  })
})

/** A frame whose last bytes are missing. */
function cutShort(messages: readonly PartitionMessage[]): PartitionFrameWriter {
  const frame = newPartitionFrame('1@A1.x', 'test')
  for (const message of messages) frame.add(message)
  const take = frame.take.bind(frame)
  return Object.assign(frame, { take: () => take().subarray(0, -1) })
}

function connectTo(address: string): Promise<Socket> {
  const [host, port] = address.split(':')
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host, () => resolve(socket))
    socket.on('error', reject)
  })
}
