import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseAddress } from '../../../engine/src/cli/command.ts'
import { parseKey } from '../../../engine/src/cli/record-key.ts'

const program = join(import.meta.dirname, '../../../engine/src/cli/larder.ts')

interface Result {
  status: number
  out: string
  err: string
}

function larder(...args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], { timeout: 20_000 }, (_error, out, err) =>
      resolve({ status: child.exitCode ?? -1, out, err }),
    )
  })
}

describe('larder', () => {
  it('says what there is', async () => {
    const { status, out } = await larder('--help')
    expect(status).toBe(0)
    for (const name of ['server', 'info', 'roster', 'get', 'put', 'bench', 'status'])
      expect(out).toContain(`\n  ${name} `)
  })

  it.each(['server', 'info', 'roster', 'get', 'put', 'bench', 'status'])(
    '%s --help has examples',
    async (name) => {
      const { status, out } = await larder(name, '--help')
      expect(status).toBe(0)
      expect(out).toContain(`Examples:\n  larder ${name}`)
    },
  )

  it.each([
    [
      ['sever'],
      'larder: there is no command sever; there are server, info, roster, get, put, bench, status\n',
    ],
    [['info', '--node', '127.0.0.1:x'], 'larder: --node 127.0.0.1:x: must be host:port\n'],
    [['server', '--port', '99999'], 'larder: --port 99999: must be a whole number from 0 to 65535\n'],
    [['roster', 'set'], 'larder: which namespace? larder roster set NAMESPACE --all-observed\n'],
    [
      ['roster', 'set', 'stock', 'A1', '--all-observed'],
      'larder: list the node ids or give --all-observed, one of the two\n',
    ],
    [
      ['roster', 'set', 'stock', 'A1,G2'],
      'larder: G2 is no node id; ids are up to 16 hex digits, as A1 or A1@RACK\n',
    ],
    [['roster', 'revive'], 'larder: revive takes one namespace: larder roster revive NAMESPACE\n'],
    [['bench', '--reads', '101'], 'larder: --reads 101: must be a whole number from 0 to 100\n'],
  ])('%j is one line on the error output and exit status 1', async (args, line) => {
    expect(await larder(...args)).toEqual({ status: 1, out: '', err: line })
  })

  it('says what to do when no node answers', async () => {
    const { status, err } = await larder('info', '--node', '127.0.0.1:1')
    expect(status).toBe(1)
    expect(err).toMatch(
      /^larder: no answer from 127\.0\.0\.1:1: .*ECONNREFUSED.*is a node running there\? \(larder server\)\n$/,
    )
  })
})

describe('what a command line names', () => {
  it.each([
    ['10.0.0.1:3010', { host: '10.0.0.1', port: 3010 }],
    ['10.0.0.1', { host: '10.0.0.1', port: 3000 }],
    [':3010', { host: '127.0.0.1', port: 3010 }],
    ['[::1]:3010', { host: '::1', port: 3010 }],
  ])('node %s', (text, address) => {
    expect(parseAddress(text)).toEqual(address)
  })

  it.each([
    [['test.products', '1'], false, { namespace: 'test', set: 'products', key: 1n }],
    [['test', 'abc'], false, { namespace: 'test', key: 'abc' }],
    [['test.users', '007'], true, { namespace: 'test', set: 'users', key: '007' }],
    [['test', '-12'], false, { namespace: 'test', key: -12n }],
    [['test', '99999999999999999999'], false, { namespace: 'test', key: '99999999999999999999' }],
  ])('key %j', ([place, key], asText, expected) => {
    expect(parseKey(place, key, asText)).toEqual(expected)
  })
})
