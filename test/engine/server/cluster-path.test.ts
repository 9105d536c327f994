import { connect } from '@larder/engine'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RowParts } from './messages.ts'
import { batch, codeOf, get, integer, message, messagesOf, op, put, remove } from './messages.ts'
import { digestIn, type Roles, ThreeNodes } from './three-nodes.ts'
import type { Wire } from './wire.ts'

let three: ThreeNodes
let roles: Roles[]
let nextNumber = 1

beforeAll(async () => {
  three = await ThreeNodes.start([{ name: 'test', replicationFactor: 2 }])
  roles = await three.roles('test')
}, 60_000)
afterAll(() => three.close())

/** Digests of new records, where this node is what is asked for. */
function digests(role: keyof Roles, index: number, count = 1): Buffer[] {
  const found: Buffer[] = []
  for (let partition = 7; found.length < count; partition = (partition + 101) % roles.length)
    if (roles[partition]![role] === index) found.push(digestIn(partition, nextNumber++))
  return found
}

const digest = (role: keyof Roles, index: number): Buffer => digests(role, index)[0]!
const add = (to: Buffer): Buffer =>
  message({ info1: 1, info2: 1, digest: to, ops: [op(5, 'n', 1, integer(1)), op(1, 'n')] })

async function one(wire: Wire, request: Buffer): Promise<Buffer> {
  wire.send(request)
  const [frame] = await wire.frames(1)
  if (!frame) throw new Error('no answer')
  return frame
}

/** Of the first bin. */
const valueOf = (frame: Buffer): string | undefined => messagesOf(frame)[0]!.ops[0]?.value.toString('latin1')
const numberOf = (frame: Buffer): number => Number(messagesOf(frame)[0]!.ops.at(-1)!.value.readBigInt64BE())

describe('a request to any node', () => {
  it.each<keyof Roles>(['master', 'replica', 'none'])('that is the %s is answered alike', async (role) => {
    for (const index of [0, 1, 2]) {
      const wire = await three.open(index)
      const key = digest(role, index)
      expect(codeOf(await one(wire, get(key)))).toBe(2)
      expect(codeOf(await one(wire, put(key, 'one')))).toBe(0)
      expect(valueOf(await one(wire, get(key)))).toBe('one')
      expect(numberOf(await one(wire, add(key)))).toBe(1)
      expect(numberOf(await one(wire, add(key)))).toBe(2)
      for (const other of [0, 1, 2]) expect(numberOf(await one(await three.open(other), get(key)))).toBe(2)
      expect(codeOf(await one(wire, remove(key)))).toBe(0)
      expect(codeOf(await one(wire, get(key)))).toBe(2)
      expect(codeOf(await one(wire, remove(key)))).toBe(2)
    }
  })

  it('is passed on only where it must be, and counted on both sides', async () => {
    const count = (index: number, name: string): Promise<number> => three.statistic(index, 'test', name)
    const key = digest('none', 0)
    const { master, replica } = roles[key.readUInt16LE() % roles.length]!
    const wire = await three.open(0)
    const before = await count(0, 'client_proxy_complete')
    const read = await count(master, 'from_proxy_read_success')
    const written = await count(master, 'from_proxy_write_success')
    await one(wire, put(key, 'x'))
    await one(wire, get(key))
    expect(await count(0, 'client_proxy_complete')).toBe(before + 2)
    expect(await count(master, 'from_proxy_read_success')).toBe(read + 1)
    expect(await count(master, 'from_proxy_write_success')).toBe(written + 1)
    const atReplica = await three.open(replica)
    const proxiedByReplica = await count(replica, 'client_proxy_complete')
    expect(valueOf(await one(atReplica, get(key)))).toBe('x')
    expect(await count(replica, 'client_proxy_complete')).toBe(proxiedByReplica)
    await one(atReplica, put(key, 'y'))
    expect(await count(replica, 'client_proxy_complete')).toBe(proxiedByReplica + 1)
  })

  it('that is refused anywhere is refused here', async () => {
    const wire = await three.open(0)
    expect(codeOf(await one(wire, message({ info1: 3, digest: digest('none', 0), namespace: 'no' })))).toBe(
      20,
    )
    expect(codeOf(await one(wire, message({ info1: 3, digest: Buffer.alloc(19) })))).toBe(4)
    expect(codeOf(await one(wire, message({ info1: 3 })))).toBe(16)
    expect(codeOf(await one(wire, message({ digest: digest('none', 0) })))).toBe(4)
  })

  it('is answered in its order among others of the connection, near and far', async () => {
    const wire = await three.open(1)
    const keys = [0, 1, 2].flatMap(() => [
      ...digests('none', 1, 20),
      ...digests('master', 1, 20),
      ...digests('replica', 1, 20),
    ])
    const shuffled = keys.map((key, i) => keys[(i * 7919) % keys.length] ?? key)
    wire.send(Buffer.concat(shuffled.map((key, i) => put(key, `v${i}`))))
    expect((await wire.frames(shuffled.length)).map(codeOf)).toEqual(shuffled.map(() => 0))
    wire.send(Buffer.concat(shuffled.map((key) => get(key))))
    const answers = await wire.frames(shuffled.length)
    expect(answers.map(valueOf)).toEqual(shuffled.map((_, i) => `v${i}`))
  })
})

describe('a batch to any node', () => {
  const flags = 0x0d

  async function rowsOf(wire: Wire, ms = 30_000): Promise<ReturnType<typeof messagesOf>> {
    const all: ReturnType<typeof messagesOf> = []
    while (!all.at(-1)?.isLast) {
      const [frame] = await wire.frames(1, ms)
      if (!frame) throw new Error(`no end after ${all.length} rows`)
      all.push(...messagesOf(frame))
    }
    return all
  }

  it('is split over the nodes, each row answered once under its index', async () => {
    const wire = await three.open(2)
    const keys = [...digests('none', 2, 300), ...digests('master', 2, 150), ...digests('replica', 2, 150)]
    const mixed = keys.map((_, i) => keys[(i * 7) % keys.length]!)
    const before = await three.statistic(2, 'test', 'batch_sub_proxy_complete')
    wire.send(
      batch(
        mixed.map((key, i): RowParts => ({ digest: key, info2: 1, ops: [op(2, 'v', 3, `v${i}`)] })),
        flags,
      ),
    )
    const written = await rowsOf(wire)
    expect(written.length).toBe(mixed.length + 1)
    expect(written.slice(0, -1).map(({ code }) => code)).toEqual(mixed.map(() => 0))
    expect(written.at(-1)).toMatchObject({ code: 0, isLast: true })
    expect(await three.statistic(2, 'test', 'batch_sub_proxy_complete')).toBe(before + 450)
    wire.send(
      batch(
        mixed.map((key): RowParts => ({ digest: key, info1: 3 })),
        flags,
      ),
    )
    const rows = await rowsOf(wire)
    const values = new Map(
      rows.slice(0, -1).map(({ index, ops }) => [index, ops[0]?.value.toString('latin1')]),
    )
    expect(values.size).toBe(mixed.length)
    expect(rows.length).toBe(mixed.length + 1)
    for (const i of mixed.keys()) expect(values.get(i)).toBe(`v${i}`)
    // What is here comes first, in its order.
    const near = rows.slice(0, 300).map(({ index }) => index)
    expect(near).toEqual([...near].sort((a, b) => a - b))
    expect(await three.statistic(2, 'test', 'batch_sub_proxy_complete')).toBe(before + 750)
  })

  it('does not hold up what is asked behind it, and its answer still comes first', async () => {
    const wire = await three.open(0)
    const far = digests('none', 0, 5)
    const near = digest('master', 0)
    await one(wire, put(near, 'near'))
    wire.send(
      Buffer.concat([
        batch(
          far.map((key): RowParts => ({ digest: key, info1: 3 })),
          flags,
        ),
        get(near),
        batch([{ digest: near, info1: 3 }], flags),
      ]),
    )
    const rows = await rowsOf(wire)
    expect(rows.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2, 0])
    expect(valueOf((await wire.frames(1))[0]!)).toBe('near')
    expect((await rowsOf(wire)).map(({ code }) => code)).toEqual([0, 0])
  })

  it('of one row that is far answers reads as reads, with the same bytes as where it is near', async () => {
    const key = digest('none', 0)
    const { master } = roles[key.readUInt16LE() % roles.length]!
    const [far, near] = [await three.open(0), await three.open(master)]
    await one(near, put(key, 'v'))
    const listSize = op(3, 'v', 0, Buffer.alloc(0))
    const rows: RowParts[] = [{ digest: key, info1: 1, ops: [op(1, 'v'), listSize] }]
    const requests = [
      batch(rows, flags),
      batch([{ digest: key, info1: 3 }], flags),
      batch([{ digest: key, info2: 1, info1: 1, ops: [op(2, 'w', 3, 'w'), op(1, 'v')] }], flags),
      batch([{ digest: key, info2: 1, ops: [op(5, 'v', 1, integer(1))] }], flags),
      batch([{ digest: key, info2: 1, ops: [op(5, 'v', 1, integer(1))] }], 9),
      batch([{ digest: key, info2: 1, ops: [op(5, 'v', 1, integer(1))] }], 1),
    ]
    for (const request of requests) {
      const answers = []
      for (const wire of [near, far]) {
        wire.send(request)
        const all = await rowsOf(wire)
        answers.push(all.map(({ code, index, ops, isLast }) => ({ code, index, isLast, ops })))
      }
      expect(answers[1]).toEqual(answers[0])
    }
  })

  it('that is none at some later row is refused whole', async () => {
    const wire = await three.open(0)
    const [first, ...others] = digests('none', 0, 40)
    const rows = others.map((key): RowParts => ({ digest: key, info2: 1, ops: [op(2, 'v', 3, 'x')] }))
    wire.send(batch([...rows, { digest: first!, info1: 3, namespace: 'no' }], flags))
    const answer = await rowsOf(wire)
    expect(answer).toMatchObject([{ code: 4, isLast: true }])
    expect(codeOf(await one(wire, put(first!, 'y')))).toBe(0)
  })

  it('of many large records that are far comes whole, in pieces', async () => {
    const wire = await three.open(1)
    const keys = digests('none', 1, 120)
    const value = (i: number): Buffer => Buffer.alloc(60_000, `${i % 10}`)
    for (const [i, key] of keys.entries()) expect(codeOf(await one(wire, put(key, value(i))))).toBe(0)
    wire.send(
      Buffer.concat([
        batch(
          keys.map((key): RowParts => ({ digest: key, info1: 3 })),
          flags,
        ),
        get(keys[0]!),
      ]),
    )
    const rows = await rowsOf(wire)
    expect(rows.length).toBe(121)
    for (const { index, ops } of rows.slice(0, -1)) expect(ops[0]!.value.equals(value(index))).toBe(true)
    expect(valueOf((await wire.frames(1))[0]!)?.length).toBe(60_000)
  })

  it('of more rows than a piece takes comes whole', { timeout: 60_000 }, async () => {
    const wire = await three.open(1)
    const keys = [...digests('none', 1, 2000), ...digests('master', 1, 2000), ...digests('replica', 1, 1000)]
    const mixed = keys.map((_, i) => keys[(i * 3) % keys.length]!)
    for (const row of [{ info2: 1, ops: [op(5, 'n', 1, integer(1))] }, { info1: 3 }]) {
      wire.send(
        batch(
          mixed.map((key): RowParts => ({ digest: key, ...row })),
          flags,
          20_000,
        ),
      )
      const rows = await rowsOf(wire)
      expect(rows.at(-1)!.code).toBe(0)
      expect(new Set(rows.slice(0, -1).map(({ index }) => index)).size).toBe(mixed.length)
      expect(rows.length).toBe(mixed.length + 1)
      expect(rows.every(({ code }) => code === 0)).toBe(true)
    }
  })
})

describe('a write with many of its kind', () => {
  it('never tells less than it did, from whatever node it comes', async () => {
    const keys = [...digests('master', 0, 4), ...digests('master', 1, 4)]
    const rounds = 40
    const counts = keys.map(() => [] as number[])
    await Promise.all(
      [0, 1, 2].map(async (index) => {
        const wire = await three.open(index)
        for (let round = 0; round < rounds; round++) wire.send(Buffer.concat(keys.map(add)))
        const answers = await wire.frames(rounds * keys.length, 20_000)
        expect(answers.map(codeOf)).toEqual(answers.map(() => 0))
        for (const [i, answer] of answers.entries()) counts[i % keys.length]!.push(numberOf(answer))
      }),
    )
    for (const each of counts)
      expect([...each].sort((a, b) => a - b)).toEqual(Array.from({ length: 3 * rounds }, (_, i) => i + 1))
  })
})

describe('the client in the same process', () => {
  it('is answered by a node that has nothing of it', async () => {
    const client = await connect({ node: three.nodes[0]! })
    try {
      const keys = Array.from({ length: 60 }, (_, i) => ({ namespace: 'test', set: 'e', key: i }))
      await Promise.all(keys.map((key, i) => client.put(key, { n: i })))
      const records = await Promise.all(keys.map((key) => client.get(key)))
      expect(records.map((record) => record?.bins['n'])).toEqual(keys.map((_, i) => i))
    } finally {
      await client.close()
    }
  })
})

describe('requests to a cluster that has lost a node', () => {
  const dead = 2
  const limit = 400

  const within = (request: Buffer): Buffer => {
    const copy = Buffer.from(request)
    copy.writeUInt32BE(limit, 8 + 14)
    return copy
  }

  it('end when their time is over, in their order, and go well again in the next view', async () => {
    const wire = await three.open(0)
    const lost = digests('master', dead, 30)
    const [nearby] = digests('none', dead).filter((key) => roles[key.readUInt16LE() % 4096]!.master === 0)
    const near = nearby ?? digest('master', 0)
    await one(wire, put(near, 'near'))
    const victim = three.nodes.splice(dead, 1)[0]!
    const closed = victim.close()
    const requests = lost.flatMap((key, i) => [within(put(key, `v${i}`)), get(near), within(get(key))])
    const rows = lost.map((key): RowParts => ({ digest: key, info1: 3 }))
    const began = Date.now()
    wire.send(
      Buffer.concat([...requests, batch([...rows, { digest: near, info1: 3 }], 0x0d, limit), get(near)]),
    )
    const answers = await wire.frames(requests.length, 10_000)
    expect(answers.length).toBe(requests.length)
    for (const [i, answer] of answers.entries()) {
      if (i % 3 === 1) expect(valueOf(answer)).toBe('near')
      else expect([0, 2, 9]).toContain(codeOf(answer))
    }
    const all: ReturnType<typeof messagesOf> = []
    while (!all.at(-1)?.isLast) all.push(...messagesOf((await wire.frames(1))[0]!))
    expect(all.length).toBe(lost.length + 2)
    expect(all.find(({ index, isLast }) => index === lost.length && !isLast)?.code).toBe(0)
    expect(valueOf((await wire.frames(1))[0]!)).toBe('near')
    // Three nodes in one process hold each other up.
    expect(Date.now() - began).toBeLessThan(limit + 2000)
    await closed
    await three.whenStable(2)
    for (const key of lost) expect(codeOf(await one(wire, put(key, 'again')))).toBe(0)
  })
})
