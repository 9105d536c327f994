import { beforeEach, describe, expect, it } from 'vitest'
import { ResponseBuffer } from '../../../engine/src/protocol/response.ts'
import { appendInfoAnswer } from '../../../engine/src/server/info/info-answer.ts'
import { forgetUserAgent } from '../../../engine/src/server/info/statistics-commands.ts'
import { Latencies } from '../../../engine/src/server/latency.ts'
import { LocalNode } from '../../../engine/src/server/local-node.ts'
import type { NamespaceState, SetState } from '../../../engine/src/server/node-state.ts'
import { numberSetting, Settings, switchSetting } from '../../../engine/src/server/settings.ts'

const NOW = 1_795_000_000_000

/** A namespace that remembers what it was asked. */
class FakeNamespace implements NamespaceState {
  readonly name: string
  readonly objects = 5
  readonly latencies = new Latencies()
  readonly strongTruncation = undefined
  readonly truncations: [string | undefined, number][] = []
  readonly #sets = new Map<string, Settings>()
  defaultTtl = 0
  strict = false
  readonly settings = new Settings()
    .define(
      'default-ttl',
      numberSetting(
        () => this.defaultTtl,
        (ttl) => void (this.defaultTtl = ttl),
        { max: 1000, unit: 'time' },
      ),
    )
    .define(
      'disallow-null-setname',
      switchSetting(
        () => this.strict,
        (strict) => void (this.strict = strict),
      ),
    )

  constructor(name: string) {
    this.name = name
  }

  statistics(): ReadonlyMap<string, number> {
    return new Map([
      ['objects', 5],
      ['tombstones', 2],
    ])
  }

  sets(): readonly SetState[] {
    return [{ name: 'a', objects: 3, tombstones: 1, dataBytes: 144, truncatedAt: 1_262_304_000_007 }]
  }

  setSettings(set: string): Settings {
    const known = this.#sets.get(set)
    if (known) return known
    let count = 0
    const settings = new Settings().define(
      'stop-writes-count',
      numberSetting(
        () => count,
        (value) => void (count = value),
        { max: 100 },
      ),
    )
    this.#sets.set(set, settings)
    return settings
  }

  truncate(set: string | undefined, before: number): number {
    this.truncations.push([set, before])
    return 42
  }

  untruncate(set: string | undefined): void {
    this.truncations.push([set, 0])
  }
}

let test: FakeNamespace
let node: LocalNode

beforeEach(() => {
  test = new FakeNamespace('test')
  const config = { host: '127.0.0.1', port: 3000, nodeId: 'A1', clusterName: 'c1' }
  const service = new Settings().fixed({ 'cluster-name': 'c1' })
  node = new LocalNode(config, [test, new FakeNamespace('bar')], service, () => NOW)
})

function ask(lines: string, caller = {}): { text: string; ticket: number } {
  const out = new ResponseBuffer()
  const ticket = appendInfoAnswer(node, Buffer.from(lines, 'latin1'), caller, out)
  if (typeof ticket !== 'number') throw new Error(`${lines} is answered later`)
  return { text: out.buffer.toString('latin1', 8, out.length), ticket }
}

const value = (line: string): string => ask(`${line}\n`).text.slice(line.length + 1, -1)

const ALL = '/'.repeat(682) + '8='

describe('seeding and tending', () => {
  it('answers what official clients ask first, as the real server does', () => {
    expect(ask('node\npartition-generation\nbuild\n').text).toBe(
      'node\tA1\npartition-generation\t0\nbuild\t8.1.2.0\n',
    )
    expect(value('peers-clear-std')).toBe('0,3000,[]')
    expect(value('peers-generation')).toBe('0')
    expect(value('service-clear-std')).toBe('127.0.0.1:3000')
    expect(value('features').split(';')).toContain('pscans')
    expect(value('cluster-name')).toBe('c1')
  })

  it('a node alone is master of all partitions, and the map does not end with a semicolon', () => {
    expect(ALL.length).toBe(684)
    expect(value('replicas')).toBe(`test:0,1,${ALL};bar:0,1,${ALL}`)
    expect(value('replicas-all')).toBe(`test:1,${ALL};bar:1,${ALL}`)
    expect(value('replicas-master')).toBe(`test:${ALL};bar:${ALL}`)
  })

  it.each([
    ['cluster-stable:size=3', 'ERROR:7:cluster not specified size'],
    ['cluster-stable:namespace=nope', 'ERROR:20:namespace not found on node'],
    ['racks:', 'ERROR:25:enterprise only'],
    ['rack-ids', 'ERROR:25:enterprise only'],
    ['tip-clear:', "ERROR:4:missing 'host-port-list'"],
  ])('%s', (line, answer) => {
    expect(value(line)).toBe(answer)
  })

  it('the cluster key is the same for every form of the question', () => {
    const key = value('cluster-stable:')
    expect(key).toMatch(/^[1-9A-F][0-9A-F]{0,11}$/)
    for (const line of ['cluster-stable', 'cluster-stable:size=1', 'cluster-stable:namespace=test'])
      expect(value(line)).toBe(key)
  })

  it('counts connections by user agent until they close', () => {
    const [one, two] = [{}, {}]
    expect(ask('user-agent-set:value=MSxhLHg=\n', one).text).toBe('user-agent-set:value=MSxhLHg=\tok\n')
    ask('user-agent-set:value=MSxhLHg=\n', two)
    expect(value('user-agents')).toBe('user-agent=MSxhLHg=:count=2;')
    forgetUserAgent(node, one)
    forgetUserAgent(node, two)
    expect(value('user-agents')).toBe('')
    expect(value('user-agent-set:value=%%')).toBe("ERROR:4:'value' invalid base64")
    expect(value('user-agent-set:')).toBe("ERROR:4:missing 'value'")
  })
})

describe('namespaces and sets', () => {
  const set =
    'objects=3:tombstones=1:data_used_bytes=144:truncate_lut=7:sindexes=0:index_populating=false:truncating=false'
  it.each([
    ['namespaces', 'test;bar'],
    ['namespace/nope', 'type=unknown'],
    ['namespace:namespace=test', 'type=unknown'],
    ['sets/nope', 'ns_type=unknown'],
    ['sets:namespace=test;set=a', 'ns_type=unknown'],
    ['sets/test/nope', ''],
    ['histogram:namespace=test;type=ttl', ''],
    ['histogram:namespace=test;type=nope', 'ERROR:4:unknown hist name'],
    ['histogram:namespace=nope;type=ttl', 'ERROR:20:namespace not found on node'],
    ['latencies:hist={test}-nosuch', 'ERROR:4:bad hist name'],
    ['latencies:hist={test}-read', '{test}-read:'],
    ['sindex-exists:namespace=test;indexname=x', 'false'],
    ['sindex-stat:namespace=test;indexname=x', 'ERROR:201:no index'],
    ['sindex/test/x', 'ERROR:201:no index'],
  ])('%s', (line, answer) => {
    expect(value(line)).toBe(answer)
  })

  it('lists sets, all or one', () => {
    expect(value('sets/test/a')).toBe(`${set}:stop-writes-count=0;`)
    ask('set-config:context=namespace;namespace=test;set=a;stop-writes-count=2\n')
    expect(value('sets/test')).toBe(`ns=test:set=a:${set}:stop-writes-count=2;`)
  })

  it('shows statistics and settings of a namespace', () => {
    const text = `;${value('namespace/test')};`
    for (const pair of [
      'objects=5',
      'tombstones=2',
      'default-ttl=0',
      'ns_cluster_size=1',
      'current_time=532696000',
    ])
      expect(text).toContain(`;${pair};`)
  })

  it('sums over namespaces in statistics', () => {
    const text = `;${value('statistics')};`
    for (const pair of ['objects=10', 'tombstones=4', 'cluster_size=1', 'cluster_principal=A1'])
      expect(text).toContain(`;${pair};`)
  })
})

describe('settings', () => {
  it.each([
    ['context=namespace;namespace=test;nosuch=1', 'ERROR:4:invalid set-config parameter'],
    ['context=nosuch;a=1', 'ERROR:4:invalid context'],
    ['foo', "ERROR:4:missing 'context'"],
    ['', "ERROR:4:missing 'context'"],
    ['context=namespace;default-ttl=1', "ERROR:20:missing 'namespace'"],
    ['context=namespace;namespace=nope;default-ttl=1', 'ERROR:20:namespace not found on node'],
    ['context=namespace;namespace=test;default-ttl=x', 'ERROR:4:invalid set-config parameter'],
    ['context=namespace;namespace=test;default-ttl=1001', 'ERROR:4:invalid set-config parameter'],
    ['context=namespace;namespace=test', 'ERROR:4:invalid set-config parameter'],
    ['context=service;cluster-name=x', 'ERROR:4:invalid set-config parameter'],
    ['context=network;x=1', 'ERROR:4:invalid set-config parameter'],
    ['context=security;x=1', 'ERROR:25:enterprise only'],
  ])('set-config:%s is refused', (rest, answer) => {
    expect(value(`set-config:${rest}`)).toBe(answer)
    expect(test.defaultTtl).toBe(0)
  })

  it.each([
    ['context=namespace;namespace=test;default-ttl=50', 50],
    ['context=namespace;id=test;default-ttl=60', 60],
    ['context=namespace;namespace=test;default-ttl=10M', 600],
  ])('set-config:%s takes effect at once', (rest, ttl) => {
    expect(value(`set-config:${rest}`)).toBe('ok')
    expect(test.defaultTtl).toBe(ttl)
    expect(value('get-config:context=namespace;namespace=test')).toBe(
      `default-ttl=${ttl};disallow-null-setname=false`,
    )
  })

  it('a switch', () => {
    expect(value('set-config:context=namespace;namespace=test;disallow-null-setname=true')).toBe('ok')
    expect(test.strict).toBe(true)
    expect(value('set-config:context=namespace;namespace=test;disallow-null-setname=maybe')).toMatch(/^ERROR/)
  })

  it.each([
    ['get-config:context=nosuch', 'ERROR:4:invalid context'],
    ['get-config:context=namespace;namespace=nope', 'ERROR:20:namespace not found on node'],
    ['get-config:context=namespace', "ERROR:20:missing 'namespace'"],
    ['get-config:context=service', 'cluster-name=c1'],
    ['get-config:context=xdr', ''],
  ])('%s', (line, answer) => {
    expect(value(line)).toBe(answer)
  })
})

describe('truncate', () => {
  it.each([
    ['truncate:namespace=test', "ERROR:4:missing 'set'"],
    ['truncate:namespace=test;set=', "ERROR:4:missing 'set' value"],
    ['truncate:set=a', "ERROR:20:missing 'namespace'"],
    ['truncate:', "ERROR:20:missing 'namespace'"],
    ['truncate:namespace=;set=x', "ERROR:20:missing 'namespace' value"],
    ['truncate:namespace=test;set=a;lut=1', 'ERROR:4:would truncate to 0'],
    ['truncate:namespace=test;set=a;lut=x', 'ERROR:4:would truncate to 0'],
    ['truncate:namespace=test;set=a;lut=9999999999999999999', 'ERROR:4:would truncate in the future'],
    ['truncate-namespace:', "ERROR:20:missing 'namespace'"],
    ['truncate-namespace:namespace=test;lut=1', 'ERROR:4:would truncate to 0'],
    ['truncate-undo:namespace=test', "ERROR:4:missing 'set'"],
  ])('%s is refused', (line, answer) => {
    expect(value(line)).toBe(answer)
    expect(test.truncations).toEqual([])
  })

  it('hides what is older than now, or than the time it is given, and waits for the disk', () => {
    expect(ask('truncate:namespace=test;set=a\n')).toEqual({
      text: 'truncate:namespace=test;set=a\tok\n',
      ticket: 42,
    })
    expect(value('truncate-namespace:namespace=test')).toBe('ok')
    expect(value(`truncate:namespace=test;set=b;lut=${NOW - 1000}000000`)).toBe('ok')
    expect(value('truncate-undo:namespace=test;set=a')).toBe('ok')
    expect(test.truncations).toEqual([
      ['a', NOW + 1],
      [undefined, NOW + 1],
      ['b', NOW - 1000],
      ['a', 0],
    ])
  })

  it('of a namespace that is not here is no error', () => {
    expect(value('truncate:namespace=nope;set=a')).toBe('ok')
    expect(value('truncate-namespace-undo:namespace=nope')).toBe('ok')
  })
})

describe('latencies', () => {
  it('shows what share of the last ten seconds took longer than 1, 2, 4, ... ms', () => {
    let now = NOW
    node = new LocalNode(
      { host: 'h', port: 1, nodeId: 'A1', clusterName: 'c' },
      [test],
      new Settings(),
      () => now,
    )
    const reads = test.latencies.of('read')
    reads.add(100, 90, now)
    reads.add(3000, 9, now)
    reads.add(70_000, 1, now)
    now += 10_000
    expect(value('latencies:hist={test}-read')).toBe(
      '{test}-read:msec,10.0,10.00,10.00,1.00,1.00,1.00,1.00,1.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00',
    )
    expect(value('larder-latencies').split(';')[0]).toMatch(/^\{test\}-read:100,10\.0,1\d\d,3\d\d\d,\d+$/)
  })
})
