import { describe, expect, it } from 'vitest'
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
  const before = { at: 1000, address: '127.0.0.1:3000', info: info(1000) }
  const now = { at: 3000, address: '127.0.0.1:3000', info: info(5000) }
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
