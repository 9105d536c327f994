import { describe, expect, it } from 'vitest'
import { clusterFrame } from '../../../engine/src/cli/cluster-frame.ts'
import { statusFrame } from '../../../engine/src/cli/status-frame.ts'

const info = (reads: number): Map<string, string> =>
  new Map([
    ['node', 'BB9A1'],
    ['build', '8.1.2.0'],
    ['namespaces', 'test;shop'],
    ['statistics', 'uptime=93784;client_connections=50;objects=1000001;heap_mapped_kbytes=307200'],
    [
      'namespace/test',
      'objects=1000000;tombstones=3;index_used_bytes=64000000;data_used_bytes=2048;stop_writes=false',
    ],
    ['namespace/shop', 'objects=1;tombstones=0;index_used_bytes=64;data_used_bytes=0;stop_writes=true'],
    [
      'larder-latencies',
      `{test}-read:${reads},0.0,81,1500,2500000;{test}-write:0,0.0,0,0,0;{test}-batch-sub-read:${reads * 3},0.0,9,9,9;{test}-batch-sub-write:0,0.0,0,0,0;batch:0,0.0,0,0,0;commit-wait:7,0.0,400,1100,9000`,
    ],
  ])

describe('a screen of larder status', () => {
  const before = { at: 1000, address: '127.0.0.1:3000', info: info(1000), nodes: [] }
  const now = { at: 3000, address: '127.0.0.1:3000', info: info(5000), nodes: [] }
  const lines = statusFrame(now, before)

  it('shows the node, its namespaces, rates between two looks, and percentiles of what has been used', () => {
    expect(lines).toEqual([
      'Larder 8.1.2.0  node BB9A1 at 127.0.0.1:3000  up 1 d 02:03:04',
      'connections 50   objects 1,000,001   memory 300.0 MiB',
      '',
      'namespace                      objects      index       data  stop-writes   tombstones',
      'test                         1,000,000   61.0 MiB    2.0 KiB           no            3',
      'shop                                 1       64 B        0 B          YES            0',
      '',
      'requests                    per second        p50        p99        p99.9        total',
      '{test}-read                      2,000      81 µs     1.5 ms        2.5 s        5,000',
      '{test}-write                         0       0 µs       0 µs         0 µs            0',
      '{test}-batch-sub-read            6,000       9 µs       9 µs         9 µs       15,000',
      'commit-wait                          0     400 µs     1.1 ms       9.0 ms            7',
    ])
  })

  it('has no rates at the first look', () => {
    expect(statusFrame(now, undefined).at(-4)).toContain('{test}-read                          0 ')
  })
})

describe('a screen of a cluster', () => {
  const node = (id: string, pairs: string, masters: number): Map<string, string> => {
    const map = (count: number): string =>
      Buffer.alloc(512, 0)
        .fill(0xff, 0, count / 8)
        .toString('base64')
    return new Map([
      ['node', id],
      ['cluster-name', 'larder'],
      ['namespaces', 'test'],
      [
        'statistics',
        `objects=7;heap_mapped_kbytes=102400;cluster_principal=A3;cluster_integrity=true;cluster_key=K;${pairs}`,
      ],
      ['namespace/test', 'unavailable_partitions=2;client_proxy_complete=3;batch_sub_proxy_complete=4'],
      ['replicas', `test:0,2,${map(masters)},${map(8)}`],
    ])
  }
  const settled = node('A1', 'migrate_partitions_remaining=0', 2048)
  const moving = node('A2', 'migrate_partitions_remaining=1500', 1024)

  it('shows all nodes, what each owns, and what is still under way', () => {
    const nodes = [
      { address: '127.0.0.1:3000', info: settled },
      { address: '127.0.0.1:3010', info: moving },
      { address: '127.0.0.1:3020', info: undefined },
    ]
    expect(clusterFrame(nodes)).toEqual([
      'cluster larder  2 of 3 nodes answer, led by A3: 1,500 copies of partitions to fill or hand over; clocks 0 ms apart',
      '',
      'node              address                 masters  replicas     objects unavailable  migrations    proxied      memory',
      'A1                127.0.0.1:3000            2,048         8           7           2           0          7   100.0 MiB',
      'A2                127.0.0.1:3010            1,024         8           7           2       1,500          7   100.0 MiB',
      '                  127.0.0.1:3020        no answer',
      '',
    ])
    expect(clusterFrame(nodes.slice(0, 1))).toEqual([])
  })

  it('says so when all is settled, and when nodes see different views', () => {
    const pair = (info: Map<string, string>) => [
      { address: '127.0.0.1:3000', info: settled },
      { address: '127.0.0.1:3010', info },
    ]
    expect(clusterFrame(pair(settled))[0]).toContain('led by A3: settled')
    const other = new Map(settled).set('statistics', 'cluster_key=L;cluster_integrity=true')
    expect(clusterFrame(pair(other))[0]).toContain('making a new view')
  })

  it('says whose clock is off, as any of the nodes sees it', () => {
    const seen = node('A2', 'cluster_clock_skew_ms=7200000;cluster_clock_skew_outliers=A3,A7', 8)
    const nodes = [settled, seen].map((info) => ({ address: '127.0.0.1:3000', info }))
    expect(clusterFrame(nodes)[0]).toMatch(/; clocks 7,200,000 ms apart, OFF: A3, A7$/)
  })
})
