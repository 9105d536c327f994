import { type Client, connect, type Node, startNode } from '@larder/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MAX_WAITING_FOR_NODE } from '../../../engine/src/client/embedded-way.ts'
import type { EmbeddedResponse } from '../../../engine/src/protocol/transport.ts'

/** A node whose answers wait until they are let go, as where a disk has to take a write first. */
class WaitingNode {
  readonly node: Node
  readonly held: ((failed?: boolean) => void)[] = []
  readonly embedded = {
    request: (request: Buffer, start: number, end: number, respond: EmbeddedResponse): void =>
      this.node.embedded.request(request, start, end, (answer, from, to) => {
        const copy = Buffer.from(answer.subarray(from, to))
        this.held.push((failed = false) => respond(copy, 0, failed ? 0 : copy.length))
      }),
  }

  constructor(node: Node) {
    this.node = node
  }
}

let waiting: WaitingNode
let client: Client
const key = { namespace: 'test', set: 'inner', key: 1 }

beforeEach(async () => {
  waiting = new WaitingNode(await startNode({ port: 0 }))
  client = await connect({ node: waiting })
})

afterEach(async () => {
  await client.close()
  await waiting.node.close()
})

describe('a node in the same process that has to wait', () => {
  it('answers later, in any order, each request with its own', async () => {
    const puts = [client.put(key, { a: 1 }), client.put(key, { a: 2 }), client.get(key)]
    waiting.held.reverse().forEach((letGo) => letGo())
    expect((await Promise.all(puts)).map((answer) => answer?.generation)).toEqual([1, 2, 2])
  })

  it('makes a promise of a read that cannot be answered at once', async () => {
    const read = client.getNow(key)
    expect(read).toBeInstanceOf(Promise)
    waiting.held.forEach((letGo) => letGo())
    expect(await read).toBeUndefined()
  })

  it('leaves a write in doubt when its time is over, and drops the late answer', async () => {
    await expect(client.put(key, { a: 1 }, { timeout: 50 })).rejects.toMatchObject({
      reason: 'TIMEOUT',
      inDoubt: true,
    })
    const read = client.get(key, { timeout: 5000 })
    waiting.held.forEach((letGo) => letGo())
    expect((await read)!.bins).toEqual({ a: 1 })
  })

  it('leaves a write in doubt when the disk fails, and when the client is closed', async () => {
    const [failed, closed] = [client.put(key, { a: 1 }), client.put(key, { a: 2 })]
    waiting.held[0]!(true)
    await expect(failed).rejects.toMatchObject({ reason: 'CONNECTION', inDoubt: true })
    await client.close()
    await expect(closed).rejects.toMatchObject({ reason: 'CLOSED', inDoubt: true })
    await expect(client.put(key, { a: 3 })).rejects.toMatchObject({ reason: 'CLOSED', inDoubt: false })
  })

  it('takes so many requests and says so to the next', async () => {
    const all = Array.from({ length: MAX_WAITING_FOR_NODE }, () => client.exists(key, { timeout: 60_000 }))
    const ends = Promise.allSettled(all)
    await expect(client.exists(key, { retries: 0 })).rejects.toThrow('MAX_WAITING_FOR_NODE')
    waiting.held.forEach((letGo) => letGo())
    expect((await ends).every(({ status }) => status === 'fulfilled')).toBe(true)
    const next = client.exists(key)
    waiting.held.at(-1)!()
    expect(await next).toBeUndefined()
  })

  it('answers batches too', async () => {
    const keys = Array.from({ length: 3000 }, (_, i) => ({ ...key, key: i }))
    const many = client.getMany(keys)
    await Promise.resolve()
    waiting.held.forEach((letGo) => letGo())
    expect(await many).toEqual(new Array(3000).fill(undefined))
  })
})
