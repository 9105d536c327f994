import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WorkingRecord } from '../../../engine/src/namespace/working-record.ts'
import type { ExpressionRecord } from '../../../engine/src/operations/expression/expression-node.ts'
import {
  filterResult,
  readExpression,
  writeExpression,
} from '../../../engine/src/operations/expression/expression.ts'
import { writeParticle } from '../../../engine/src/protocol/operation-writer.ts'
import { decodeBin, type Value } from '../../../engine/src/protocol/value-codec.ts'
import { ByteWriter } from '../../../engine/src/values/byte-writer.ts'
import { ResultError } from '../../../engine/src/values/result-code.ts'

const bins: Record<string, Value> = {
  a: 7,
  b: 3,
  i: 7,
  f: 2.5,
  s: 'hello',
  bl: Buffer.from('0142030405', 'hex'),
  l: [5, 3, 9, 3, 7],
  m: { x: 1, y: [1, 2], z: 'q' },
  t: true,
}

const slice = (buffer: Buffer) => ({ buffer, start: 0, end: buffer.length })
const hex = (text: string) => slice(Buffer.from(text, 'hex'))

function record(): ExpressionRecord {
  const working = new WorkingRecord()
  for (const [name, value] of Object.entries(bins)) {
    const payload = new ByteWriter()
    const type = writeParticle(payload, value)
    const bytes = Buffer.from(name)
    working.set(-1, { type, buffer: payload.buffer, start: 0, end: payload.length }, bytes, 0, bytes.length)
  }
  return {
    bin: (buffer, start, end) => working.value(working.find(buffer, start, end)),
    key: () => slice(Buffer.from('\x03oc1')),
    setName: () => slice(Buffer.from('s')),
    digest: () => slice(Buffer.from('d5581c90acd95a489d34c8adeb9f943113765b1d', 'hex')),
    lastUpdate: () => 1_795_189_850_722_000_000n,
    sinceUpdateMs: () => 28n,
    voidTime: () => -1n,
    ttlSeconds: () => -1n,
    recordBytes: () => 688n,
  }
}

/** The value, or the result code of the failure. Flags follow the expression: 0. */
function read(expression: string): unknown {
  try {
    const particle = readExpression(hex(`92${expression}00`), record())
    return particle ? decodeBin(particle.type, particle.buffer, particle.start, particle.end) : null
  } catch (error) {
    if (error instanceof ResultError) return { code: error.code }
    throw error
  }
}

const MALFORMED = { code: 4 }
const UNKNOWN = { code: 26 }

describe('expressions', () => {
  it.each([
    ['a == 7', '9301935102a16107', 0],
    ['a > 100', '9303935102a16164', 27],
    ['and', '93109303935102a161059305935102a16205', 0],
    ['or with not and exclusive', '93119212935101a1749313c3c2', 0],
    ['a missing bin is there', '93029252a46e6f706500', 27],
    ['a missing bin compared', '9301935102a46e6f706501', 27],
    ['key stored', '9147', 0],
    ['key equals', '9301925003a4036f6331', 0],
    ['set name', '93019146a20373', 0],
    ['never expires', '9305914500', 0],
    ['list count', '9303957f020093160503935104a16c01', 0],
    ['map value', '9301957f0200936107a20378935105a16d01', 0],
    ['blob', '9301935106a2626ca6040142030405', 0],
    ['list equals', '9301935104a16c927e950503090307', 0],
    ['value in list', '9309935102a161927e920107', 0],
    ['an integer is no filter', '05', 4],
    ['bytes behind it', 'c3c3', 4],
    ['false or unknown is unknown', '9311c29301935102a46e6f706501', 27],
    ['true or unknown is true', '9311c39301935102a46e6f706501', 0],
    ['unknown and false is false, its opposite true', '921293109301935102a46e6f706501c2', 0],
  ])('filter: %s', (_name, bytes, code) => {
    expect(filterResult(hex(bytes), record())).toBe(code)
  })

  it.each<[string, string, unknown]>([
    ['a + b', '9314935102a161935102a162', 10],
    ['f * 2.0', '9316935107a166cb4000000000000000', 5],
    ['cond', '947b9303935102a16105a403626967a603736d616c6c', 'big'],
    ['let', '947da1789314935102a161019316927ca178927ca178', 64],
    ['unknown', '9100', UNKNOWN],
    ['list size', '957f02009110935104a16c', 5],
    ['list append', '957f0440920101935104a16c', [5, 3, 9, 3, 7, 1]],
    ['append without the modify bit', '957f0400920109935104a16c', UNKNOWN],
    ['map keys', '9265935105a16d', ['x', 'y', 'z']],
    ['max', '9433935102a161935102a16204', 7],
    ['bin type', '9252a16c', 20],
    ['path', '957f020093ccff9222a2037993130701935105a16d', 2],
    ['digest modulo 3', '924003', 2],
    ['digest modulo 0', '924000', MALFORMED],
    ['value of another type', '957f030093130702935104a16c', UNKNOWN],
    ['argument worked out', '957f020093130793150301935104a16c', 9],
    ['unquoted list', '957f0200931705920309935104a16c', MALFORMED],
    ['types of a condition', '947bc301a20361', MALFORMED],
    ['branch not taken', '947bc30193170100', 1],
    ['division by zero', '93170100', UNKNOWN],
    ['smallest integer by -1', '9317d38000000000000000ff', UNKNOWN],
    ['remainder of the smallest by -1', '931ad38000000000000000ff', UNKNOWN],
    ['sum that wraps', '9314cf7fffffffffffffff01', -(2n ** 63n)],
    ['undefined variable', '927ca178', MALFORMED],
    ['variable named twice', '947da17801947da17802927ca178', MALFORMED],
    ['variable named again within its definition', '947da178947da178010203', MALFORMED],
    ['bin name of 16 bytes', '935102b06162636465666768696a6b6c6d6e6f70', MALFORMED],
    ['names side by side', '9314947da17801927ca178947da17802927ca178', 3],
    ['unknown opcode', '914b', MALFORMED],
  ])('read: %s', (_name, bytes, value) => {
    expect(read(bytes)).toEqual(value)
  })

  it.each<[string, string, boolean, unknown]>([
    ['stores', '920500', false, 'store'],
    ['create-only on a bin that exists', '920501', true, 6],
    ['update-only on a missing bin', '920502', false, 17],
    ['the same without failing', '92050a', false, 'keep'],
    ['nil without leave to delete', '92c000', true, 26],
    ['nil with it', '92c004', true, 'delete'],
    ['unknown that may fail', '92910010', true, 'keep'],
    ['unknown flag', '920520', true, 4],
  ])('write: %s', (_name, bytes, exists, expected) => {
    let found: unknown
    try {
      found = writeExpression(hex(bytes), record(), exists).kind
    } catch (error) {
      found = error instanceof ResultError ? error.code : error
    }
    expect(found).toBe(expected)
  })

  it('answers any bytes with a value or a result code', () => {
    const opcode = fc.integer({ min: 0, max: 127 })
    const tree = fc.letrec<{ node: Buffer }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 5 },
        fc
          .constantFrom(
            '07',
            'c3',
            'c0',
            'a20361',
            '935102a161',
            '935104a16c',
            '927e920102',
            'cb4000000000000000',
          )
          .map((text) => Buffer.from(text, 'hex')),
        fc
          .tuple(opcode, fc.array(tie('node'), { maxLength: 4 }))
          .map(([code, parts]) => Buffer.concat([Buffer.of(0x91 + parts.length, code), ...parts])),
        fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
      ),
    })).node
    fc.assert(
      fc.property(tree, (bytes) => {
        expect([0, 4, 27]).toContain(filterResult(slice(bytes), record()))
        read(bytes.toString('hex'))
      }),
      { numRuns: 5000 },
    )
  })

  it('reads twenty times the names in less than a hundred times the time', () => {
    const let_ = (names: number) => {
      const header = Buffer.from('dd00000000', 'hex')
      header.writeUInt32BE(2 * names + 2, 1)
      const parts = Array.from({ length: names }, (_, i) =>
        Buffer.from(
          `a4${i
            .toString(16)
            .padStart(4, '0')
            .replace(/./g, (digit) => digit.charCodeAt(0).toString(16))}01`,
          'hex',
        ),
      )
      return slice(Buffer.concat([header, Buffer.of(0x7d), ...parts, Buffer.of(0xc3)]))
    }
    // Time of this process alone: others may keep the machine busy.
    const milliseconds = (names: number) => {
      const bytes = let_(names)
      const started = process.cpuUsage()
      expect(filterResult(bytes, record())).toBe(0)
      return process.cpuUsage(started).user / 1000
    }
    milliseconds(2000)
    expect(milliseconds(40_000)).toBeLessThan(100 * Math.max(milliseconds(2000), 2))
  })

  it('a long filter is told from the one before it', () => {
    const equal = (text: string) => {
      const bytes = Buffer.from(text)
      return slice(
        Buffer.concat([
          Buffer.from('9301db0000080003', 'hex'),
          bytes,
          Buffer.from('db0000080003', 'hex'),
          Buffer.alloc(2047, 97),
        ]),
      )
    }
    expect(filterResult(equal('a'.repeat(2047)), record())).toBe(0)
    expect(filterResult(equal('b'.repeat(2047)), record())).toBe(27)
    expect(filterResult(equal('a'.repeat(2047)), record())).toBe(0)
    expect(filterResult(hex('c1'.repeat(2000)), record())).toBe(4)
  })

  it('refuses what is nested without end', () => {
    const deep = Buffer.concat([
      ...Array.from({ length: 100_000 }, () => Buffer.of(0x92, 18)),
      Buffer.of(0xc3),
    ])
    expect(filterResult(slice(deep), record())).toBe(4)
  })
})
