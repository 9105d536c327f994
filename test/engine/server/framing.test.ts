import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TestServer } from './echo-server.ts'
import { serve } from './echo-server.ts'
import { frame, Wire } from './wire.ts'

const INFO = frame(1, 'edition\n')
const EDITION = frame(1, 'edition\tAerospike Community Edition\n')
const ADMIN_REFUSED = Buffer.from('0202000000000010' + '00330000000000000000000000000000', 'hex')
const COMPRESSED_REFUSED = Buffer.from(
  '0203000000000016' + '16000000001900000000000000000000000000000000',
  'hex',
)

let server: TestServer
let wire: Wire

beforeEach(async () => {
  server = await serve((body) => ({ bytes: frame(3, body) }))
  wire = await Wire.open(server.port)
})

afterEach(async () => {
  wire.close()
  await server.close()
})

const header = (...bytes: number[]): Buffer => Buffer.from(bytes)

describe('what cannot be a frame resets the connection, without an answer', () => {
  const cases: [string, Buffer][] = [
    ['version 0', header(0, 3, 0, 0, 0, 0, 0, 1, 1)],
    ['version 1', header(1, 3, 0, 0, 0, 0, 0, 1, 1)],
    ['version 3', header(3, 3, 0, 0, 0, 0, 0, 1, 1)],
    ['version 255', header(255, 3, 0, 0, 0, 0, 0, 1, 1)],
    ['type 0', header(2, 0, 0, 0, 0, 0, 0, 1, 1)],
    ['type 6', header(2, 6, 0, 0, 0, 0, 0, 1, 1)],
    ['type 255', header(2, 255, 0, 0, 0, 0, 0, 1, 1)],
    ['a request of the web', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a TLS hello', header(0x16, 3, 1, 0, 0xa5, 1, 0, 0, 0xa1, 3, 3)],
    ['a message of 128 MiB and one byte', header(2, 3, 0, 0, 8, 0, 0, 1)],
    ['an info request of 128 MiB and one byte', header(2, 1, 0, 0, 8, 0, 0, 1)],
    ['the largest size a header can say', header(2, 3, 255, 255, 255, 255, 255, 255)],
  ]
  it.each(cases)('%s', async (_name, bytes) => {
    wire.send(bytes)
    expect(await wire.until(() => wire.closed)).toBe(true)
    expect(wire.reset).toBe(true)
    expect(wire.bytes).toBe(0)
    expect(server.node.counters.refusedStreams).toBe(1)
  })

  it('but what was asked before it is answered first', async () => {
    wire.send(Buffer.concat([frame(3, 'a'), Buffer.from('GARBAGEGARBAGE')]))
    expect(await wire.frames(1)).toEqual([frame(3, 'a')])
    expect(await wire.until(() => wire.closed)).toBe(true)
  })
})

describe('what is a frame and nothing more', () => {
  it.each([
    ['part of a header', header(2)],
    ['a header but its last byte', header(2, 3, 0, 0, 0, 0, 0)],
    ['a header alone', header(2, 3, 0, 0, 0, 0, 0, 9)],
    ['the largest message announced', header(2, 3, 0, 0, 8, 0, 0, 0)],
    ['type 5, whatever is in it', Buffer.concat([header(2, 5, 0, 0, 0, 0, 0, 2), Buffer.from('xy')])],
  ])('%s stays open without an answer', async (_name, bytes) => {
    wire.send(bytes)
    expect(await wire.until(() => wire.closed || wire.bytes > 0, 150)).toBe(false)
  })

  it('type 5 does not disturb what follows', async () => {
    wire.send(Buffer.concat([frame(5, 'xy'), INFO]))
    expect(await wire.frames(1)).toEqual([EDITION])
  })
})

describe('admin and compressed frames', () => {
  it.each([0, 1, 15, 16, 17, 200])(
    'an admin body of %i bytes is answered: security not supported',
    async (size) => {
      wire.send(Buffer.concat([frame(2, Buffer.alloc(size)), INFO]))
      expect(await wire.frames(2)).toEqual([ADMIN_REFUSED, EDITION])
    },
  )

  it.each([0, 8, 60])('a compressed body of %i bytes is answered: enterprise only', async (size) => {
    wire.send(Buffer.concat([frame(4, Buffer.alloc(size, 7)), INFO]))
    expect(await wire.frames(2)).toEqual([COMPRESSED_REFUSED, EDITION])
  })
})

describe('info grammar', () => {
  const error = 'ERROR:4:unrecognized command'
  it.each([
    ['edition\n', 'edition\tAerospike Community Edition\n'],
    ['edition', ''],
    ['edition\nbuild', 'edition\tAerospike Community Edition\n'],
    ['build\nedition\nbuild\n', 'build\t8.1.2.0\nedition\tAerospike Community Edition\nbuild\t8.1.2.0\n'],
    ['edition\r\n', `edition\r\t${error}\n`],
    ['\n\n', `\t${error}\n\t${error}\n`],
    [';\n', `;\t${error}\n`],
    ['Build\n', `Build\t${error}\n`],
    [' build\n', ` build\t${error}\n`],
    ['nosuch:a=b;c=d;\n', `nosuch:a=b;c=d;\t${error}\n`],
    ['node;build\n', 'node;build\tA1\n'],
    ['edition\0\n', 'edition\tAerospike Community Edition\n'],
    ['n\xc3\xb6\n', `n\xc3\xb6\t${error}\n`],
  ])('%j', async (request, answer) => {
    wire.send(frame(1, request))
    expect((await wire.frames(1)).map((bytes) => bytes.toString('latin1', 8))).toEqual([answer])
  })

  it('an empty body asks for the default set', async () => {
    wire.send(frame(1, ''))
    const names = (await wire.frames(1))[0]!
      .toString('utf8', 8)
      .split('\n')
      .map((line) => line.split('\t')[0])
    expect(names).toEqual(
      (
        'features node compatibility-id edition build_ee_sha build_sha build_arch build_time build_os build version ' +
        'statistics services-alumni services partition-generation'
      )
        .split(' ')
        .concat(''),
    )
  })

  it('a name of 8 MiB comes back', async () => {
    const name = 'x'.repeat(8 * 1024 * 1024)
    wire.send(frame(1, `${name}\n`))
    const [answer] = await wire.frames(1, 20_000)
    expect(answer!.length).toBe(8 + name.length + `\t${error}\n`.length)
  })
})
