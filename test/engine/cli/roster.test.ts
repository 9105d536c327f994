import { type Node, startNode } from '@larder/engine'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { requestInfo } from '../../../engine/src/cli/info-request.ts'
import { rosterCommand } from '../../../engine/src/cli/roster-command.ts'
import { isInForce, rosterLines, rosterOf } from '../../../engine/src/cli/roster-text.ts'

const nodes: Node[] = []

afterEach(async () => {
  vi.restoreAllMocks()
  for (const node of nodes.splice(0)) await node.close()
})

async function start(nodeId: string): Promise<Node> {
  const seeds = nodes[0]?.meshAddress === undefined ? [] : [nodes[0].meshAddress]
  const cluster = { seeds, timeoutMs: 6000 }
  const namespaces = [{ name: 'test' }, { name: 'stock', consistency: 'strong' as const }]
  const node = await startNode({ port: 0, nodeId, cluster, namespaces })
  nodes.push(node)
  return node
}

/** What the command prints, asked of one node. */
async function roster(node: Node, ...args: string[]): Promise<string> {
  const said: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((text: string) => void said.push(text))
  const status = await rosterCommand.run([...args, '--node', `127.0.0.1:${node.port}`])
  log.mockRestore()
  expect(status).toBe(0)
  return said.join('\n')
}

async function untilObserved(node: Node, count: number): Promise<void> {
  for (const end = Date.now() + 30_000; ;) {
    const address = { host: '127.0.0.1', port: node.port }
    const text = [...(await requestInfo(address, ['roster:namespace=stock'])).values()].join()
    const [, observed = ''] = text.split('observed_nodes=')
    if (observed.split(',').length === count && observed !== 'null') return
    if (Date.now() > end) throw new Error(`not ${count} nodes within 30 s: ${text}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('larder roster', () => {
  it('sets the roster of a strong namespace, changes and shows it', { timeout: 90_000 }, async () => {
    const [first, second] = [await start('a1'), await start('a2')]
    const third = await start('a3')
    await untilObserved(first, 3)
    expect(await roster(first)).toBe(
      'stock\n  in force     none\n  pending      none\n  observed     A1 A2 A3\n' +
        '  unavailable  4,096 partitions, 0 of them dead\n' +
        '  serves once nodes are named: larder roster set stock --all-observed',
    )
    await expect(roster(second, 'set', 'test', '--all-observed')).rejects.toThrow(
      'test is not a strong namespace of this node; larder roster shows those that are',
    )
    await expect(roster(second, 'set', 'stock', 'A1', 'B7')).rejects.toThrow(
      'the node refused: node B7 is not in the cluster',
    )

    expect(await roster(second, 'set', 'stock', '--all-observed', '--no-recluster')).toMatch(/^noted/)
    expect(await roster(second)).toContain('in force     none\n  pending      A1 A2 A3\n')
    expect(await roster(second, 'recluster')).toBe('asked for a new view')
    expect(await roster(third, 'set', 'stock', 'a1,A2', '--wait', '40')).toMatch(
      /in force {5}A1 A2\n {2}pending {6}none\n.*\n.*\n {2}here, and not on the roster: A3$/,
    )
    await first.close()
    await untilObserved(second, 2)
    expect(await roster(second, 'stock')).toMatch(/unavailable {2}[1-9].*\n {2}not here: A1\n/)
    expect(await roster(third, 'revive', 'stock', '--wait', '40')).toMatch(
      /in force {5}A2\n {2}pending {6}none\n/,
    )
  })

  it('says that a lone node has no rosters', async () => {
    const node = await startNode({ port: 0 })
    nodes.push(node)
    await expect(roster(node)).rejects.toThrow('the node is alone, and rosters are of clusters')
  })
})

describe('what larder roster shows', () => {
  const dead = rosterOf(
    'stock',
    'roster=A1,A2@2:pending_roster=null:observed_nodes=A2@2,A3',
    new Map([
      ['unavailable_partitions', '4096'],
      ['dead_partitions', '1200'],
    ]),
  )

  it('names who is away, who is a guest, and what brings dead partitions back', () => {
    expect(rosterLines(dead)).toEqual([
      'stock',
      '  in force     A1 A2@2',
      '  pending      none',
      '  observed     A2@2 A3',
      '  unavailable  4,096 partitions, 1,200 of them dead',
      '  not here: A1',
      '  here, and not on the roster: A3',
      '  dead partitions lack a complete copy: start the nodes that had one, or larder roster revive stock (--help)',
    ])
  })

  it('takes a roster for in force when it has these nodes and nothing is pending', () => {
    expect(isInForce(dead, ['a2', 'A1'])).toBe(true)
    expect(isInForce(dead, ['A1'])).toBe(false)
    expect(isInForce({ ...dead, pending: ['A1'] }, ['A1', 'A2'])).toBe(false)
  })
})
