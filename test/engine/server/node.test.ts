import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from '@larder/engine'
import { StartError, startNode } from '@larder/engine'
import { afterEach, describe, expect, it } from 'vitest'
import { batch, codeOf, get, messagesOf, op, put, remove } from './messages.ts'
import { frame, Wire } from './wire.ts'

const nodes: Node[] = []

afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.close()))
})

async function start(config: Parameters<typeof startNode>[0] = {}): Promise<Node> {
  const node = await startNode({ port: 0, ...config })
  nodes.push(node)
  return node
}

describe('a node', () => {
  it('serves records over its port', async () => {
    const node = await start()
    const wire = await Wire.open(node.port)
    wire.send(Buffer.concat([get(1), put(1, 'one'), get(1), frame(1, 'namespaces\n')]))
    const answers = await wire.frames(4)
    expect(answers.slice(0, 3).map(codeOf)).toEqual([2, 0, 0])
    expect(answers[2]!.subarray(30)).toEqual(op(1, 'v', 3, 'one'))
    expect(answers[3]).toEqual(frame(1, 'namespaces\ttest\n'))
    wire.close()
  })

  it('on a port that is taken does not start, says so in one line, and leaves nothing behind', async () => {
    const { port } = await start()
    await expect(startNode({ port })).rejects.toThrow(StartError)
    await expect(startNode({ port })).rejects.toThrow(
      /^Port 127\.0\.0\.1:\d+ is in use by another program; stop it or/,
    )
  })

  it('refuses a folder that cannot be made, and does not try for ever', async () => {
    const started = startNode({ port: 0, folder: '/dev/null/below' })
    await expect(started).rejects.toThrow('The folder /dev/null/below/test cannot be used')
    // A file system that makes no folders: `mkdir` with `recursive` never returns there.
    if (existsSync('/proc/self'))
      await expect(startNode({ port: 0, folder: '/proc/none' })).rejects.toThrow('The folder /proc/none/test')
  })

  it('keeps records in files, and a second node on the same folder does not start', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'larder-node-'))
    try {
      for (const durability of ['flush', 'commit'] as const) {
        const config = {
          port: 0,
          folder: `${folder}/${durability}`,
          namespaces: [{ name: 'test', durability }],
        }
        const node = await startNode(config)
        const wire = await Wire.open(node.port)
        wire.send(Buffer.concat([put(1, 'one'), put(2, 'two'), remove(2), get(1)]))
        expect((await wire.frames(4)).map(codeOf)).toEqual([0, 0, 0, 0])
        await expect(startNode(config)).rejects.toThrow(
          `The folder ${folder}/${durability}/test is in use by another node (process ${process.pid}); stop that one`,
        )
        wire.close()
        await node.close()
        const again = await startNode(config)
        const second = await Wire.open(again.port)
        second.send(Buffer.concat([get(1), get(2)]))
        const answers = await second.frames(2)
        expect(answers.map(codeOf)).toEqual([0, 2])
        expect(answers[0]!.subarray(30)).toEqual(op(1, 'v', 3, 'one'))
        second.close()
        await again.close()
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('that closes refuses connections from then on', async () => {
    const node = await startNode({ port: 0 })
    await node.close()
    const error = await new Promise<Error>((resolve) => connect(node.port, '127.0.0.1').on('error', resolve))
    expect(error.message).toContain('ECONNREFUSED')
  })

  it('closes once, however often it is asked', async () => {
    const node = await startNode({ port: 0 })
    await Promise.all([node.close(), node.close()])
  })

  it('keeps answers apart from requests that come too late', async () => {
    const node = await start({ transactionMaxMs: 50 })
    const wire = await Wire.open(node.port)
    const request = put(1, 'late')
    wire.send(request.subarray(0, 20))
    await new Promise((resolve) => setTimeout(resolve, 120))
    wire.send(Buffer.concat([request.subarray(20), get(1)]))
    expect((await wire.frames(2)).map(codeOf)).toEqual([9, 2])
    wire.close()
  })
})

describe('latencies', () => {
  /** Rows of larder-latencies by name: total, rate, percentiles. */
  async function latencies(wire: Wire): Promise<Map<string, number[]>> {
    wire.send(frame(1, 'larder-latencies\n'))
    const text = (await wire.frames(1))[0]!.toString('utf8', 8)
    const rows = text.slice(text.indexOf('\t') + 1, -1).split(';')
    return new Map(
      rows.map((row) => [
        row.slice(0, row.indexOf(':')),
        row
          .slice(row.indexOf(':') + 1)
          .split(',')
          .map(Number),
      ]),
    )
  }

  it('count what the port answered, batches as a whole and by their rows', async () => {
    const node = await start()
    const wire = await Wire.open(node.port)
    const rows = [
      { digest: 1, info1: 3 },
      { digest: 2, info1: 3 },
      { digest: 3, info2: 1, ops: [op(2, 'v', 3, 'three')] },
    ]
    wire.send(Buffer.concat([put(1, 'one'), get(1), get(1), get(2), batch(rows), batch(rows)]))
    await wire.frames(8)
    const totals = [...(await latencies(wire))].map(([name, [total]]) => [name, total])
    expect(totals).toEqual([
      ['{test}-read', 3],
      ['{test}-write', 1],
      ['{test}-batch-sub-read', 4],
      ['{test}-batch-sub-write', 2],
      ['batch', 2],
      ['commit-wait', 0],
    ])
    wire.send(frame(1, 'latencies:\n'))
    expect((await wire.frames(1))[0]!.toString('utf8', 8)).toMatch(/^latencies:\tbatch-index:msec,/)
    wire.close()
  })

  it('of a long batch are those of all its pieces', async () => {
    const node = await start()
    const wire = await Wire.open(node.port)
    const rows = Array.from({ length: 50_000 }, () => ({ digest: 1, info1: 3 }))
    wire.send(batch(rows, 0x0d, 60_000))
    while (!messagesOf((await wire.frames(1))[0]!).at(-1)!.isLast) continue
    const all = await latencies(wire)
    expect(all.get('{test}-batch-sub-read')![0]).toBe(50_000)
    const [total, , median] = all.get('batch')!
    expect(total).toBe(1)
    expect(median).toBeGreaterThan(5000)
    wire.close()
  })

  it('count requests made in the same process, of which one in sixteen is timed', async () => {
    const node = await start()
    const request = (bytes: Buffer): string => {
      let answer = ''
      node.embedded.request(bytes, 0, bytes.length, (buffer, from, to) => {
        answer = buffer.toString('latin1', from, to)
      })
      return answer
    }
    for (let i = 0; i < 100; i++) request(get(1))
    const [, total, median] = /-read:(\d+),[\d.]+,(\d+)/.exec(request(frame(1, 'larder-latencies\n')))!
    expect(Number(total)).toBe(97)
    expect(Number(median)).toBeGreaterThan(0)
    const wire = await Wire.open(node.port)
    await latencies(wire)
    expect((await latencies(wire)).get('{test}-read')![0]).toBe(100)
    wire.close()
  })

  it('tell how long answers waited for the disk', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'larder-node-'))
    try {
      const node = await start({ folder, namespaces: [{ name: 'test', durability: 'commit' }] })
      const wire = await Wire.open(node.port)
      for (let i = 0; i < 5; i++) {
        wire.send(put(i, 'one'))
        await wire.frames(1)
      }
      const [waits, , median] = (await latencies(wire)).get('commit-wait')!
      expect(waits).toBe(5)
      expect(median).toBeGreaterThan(0)
      node.embedded.request(put(9, 'x'), 0, put(9, 'x').length, () => undefined)
      await new Promise((resolve) => setTimeout(resolve, 100))
      expect((await latencies(wire)).get('commit-wait')![0]).toBe(6)
      wire.close()
      await node.close()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('the node in the same process', () => {
  function ask(node: Node, request: Buffer): Buffer {
    let answer: Buffer | undefined
    node.embedded.request(request, 0, request.length, (bytes, start, end) => {
      answer = Buffer.from(bytes.subarray(start, end))
    })
    return answer!
  }

  it('answers at once, records and info alike, and shares its data with the port', async () => {
    const node = await start()
    expect(codeOf(ask(node, put(7, 'seven')))).toBe(0)
    expect(ask(node, frame(1, 'build\n'))).toEqual(frame(1, 'build\t8.1.2.0\n'))
    const wire = await Wire.open(node.port)
    wire.send(get(7))
    expect((await wire.frames(1))[0]!.subarray(30)).toEqual(op(1, 'v', 3, 'seven'))
    wire.close()
  })

  it('takes a request from within an answer without disturbing that answer', async () => {
    const node = await start()
    ask(node, put(1, 'outer'))
    ask(node, put(2, 'inner'))
    const seen: string[] = []
    const text = (bytes: Buffer, end: number): string => bytes.toString('utf8', end - 5, end)
    node.embedded.request(get(1), 0, get(1).length, (bytes, _start, end) => {
      node.embedded.request(get(2), 0, get(2).length, (other, _from, to) => seen.push(text(other, to)))
      seen.push(text(bytes, end))
    })
    expect(seen).toEqual(['inner', 'outer'])
    expect(codeOf(ask(node, get(1)))).toBe(0)
  })

  it('refuses what is not one whole frame', async () => {
    const node = await start()
    const request = get(1)
    expect(() => node.embedded.request(request, 0, request.length - 1, () => undefined)).toThrow(
      'not one whole frame',
    )
  })
})
