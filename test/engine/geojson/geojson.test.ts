import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { geojsonParticle, parseGeometry } from '../../../engine/src/values/geojson.ts'
import { ParticleType } from '../../../engine/src/values/particle.ts'
import { pointCell } from '../../../engine/src/values/point-cell.ts'
import { ResultError } from '../../../engine/src/values/result-code.ts'
import { particle, slice } from '../values/pack.ts'

const geojson = (text: string) => particle(ParticleType.GEOJSON, Buffer.from(`\0\0\0${text}`))

interface Stored {
  readonly flags: number
  readonly cells: readonly string[]
  readonly text: string
}

function stored(text: string): Stored | number {
  try {
    const { buffer, start, end } = geojsonParticle(geojson(text))
    const bytes = buffer.subarray(start, end)
    const count = bytes.readUInt16BE(1)
    return {
      flags: bytes[0]!,
      cells: Array.from({ length: count }, (_, i) => bytes.readBigUInt64BE(3 + 8 * i).toString(16)),
      text: bytes.toString('utf8', 3 + 8 * count),
    }
  } catch (error) {
    if (error instanceof ResultError) return error.code
    throw error
  }
}

const polygon = (...positions: [number, number][]) =>
  JSON.stringify({ type: 'Polygon', coordinates: [positions] })
const circle = (longitude: number, latitude: number, radius: number) =>
  JSON.stringify({ type: 'AeroCircle', coordinates: [[longitude, latitude], radius] })

/** Transcript and number of the exchange that showed it, text, cells without their trailing zeroes. */
const recorded: [string, string, string][] = [
  ['hand-record 1724', '{"type":"Point","coordinates":[0,0]}', '1000000000000001'],
  ['hand-record 1726', '{"type":"Point","coordinates":[-122.0,37.5]}', '808fb8a247954393'],
  ['hand-record 1728', '{ "type": "Point", "coordinates": [ 180, 90 ] }', '5000000000000001'],
  [
    'hand-record 1734',
    polygon([0, 0], [1, 0], [1, 1], [0, 1], [0, 0]),
    '0555555555555555 0ffe4 0fffd 0ffff 1001 1aaa0c 1aaa7 1aaa9 1aaab',
  ],
  [
    'hand-record 1740',
    polygon([-122.5, 37], [-121, 37], [-121, 38.08], [-122.5, 38.08], [-122.5, 37]),
    '80855 80857 80859 8085a4 808e4 808ef 808f1 808f7 808fc 80904 8091c 809ab',
  ],
  [
    'hand-record 1742',
    '{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]],[[[5,5],[6,5],[6,6],[5,5]]]]}',
    '0555555555555555 0fffffffffffffff 1001 101555 103ffff 1041 106a7 106ac 1aaa0c 1aaa7 1aaa9 1aaab',
  ],
  [
    'hand-record 1744',
    circle(-122, 37.5, 1000),
    '808fb890b 808fb897 808fb89c 808fb8a4 808fb8a8b 808fb8af 808fb8b1 808fb8bc 808fc758c 808fc75f 808fc761 808fc763',
  ],
  [
    'hand-record 1746',
    circle(0, 0, 0),
    '0555555555555555 0fffffffffffffff 1000000000000001 1aaaaaaaaaaaaaab',
  ],
  ['hand-record 1748', circle(0, 0, -1), ''],
  [
    'hand-record 1752',
    '{"type":"Feature","geometry":{"type":"Point","coordinates":[1,1]},"properties":{}}',
    '1001441540804bd5',
  ],
  [
    'node-6.7.1-query_geojson_filter 59',
    polygon([102.913, 0.308], [102.913, 2.308], [104.913, 2.308], [104.913, 0.308], [102.913, 0.308]),
    '31d04 31d0c 31d74 31d7c 31d9 31db',
  ],
  [
    'node-6.3.0-query 136',
    polygon(
      [-121.101, 36.421],
      [-121.101, 38.421],
      [-123.101, 38.421],
      [-123.101, 36.421],
      [-121.101, 36.421],
    ),
    '8085 80864 80869 8088c 80894 808c4 808dc 808f 80904 8091c 80924 809ac',
  ],
  [
    'hand-index 140',
    circle(0, 0, 100_000),
    '055455 0554d 0554f 05554 0555c 0ffe3 0ffe5 0ffeff 0fff4 0fffc 1001 1aab',
  ],
  [
    'hand-index 146',
    circle(1, 0, 100_000),
    '1001 1006c 10074 10079 1007a1 1aa84 1aa94 1aa9c 1aaa4 1aaac 1aab1 1aabc',
  ],
  [
    'hand-index 146',
    circle(2, 0, 100_000),
    '1000c 10064 1006d 1006f 10074 1007c 10084 10089 1aa63 1aa7c 1aa9 1aaa4',
  ],
  ['hand-index 145', circle(3, 0, 100_000), '10062c 1007c 1009 100a4 1aa0b 1aa0d 1aa7 1aa84 1aa884'],
  [
    'hand-index 145',
    circle(4, 0, 100_000),
    '10094 1009c 100a4 100ac 100b1 100bc 1aa04 1aa0c 1aa14 1aa1b 1aa6c 1aa74',
  ],
  [
    'hand-index 141',
    circle(5, 0, 100_000),
    '100a4 100ac 100b4 100bab 1074c 10754 10759 1075b 1a9e4 1a9f4 1a9fc 1aa1',
  ],
  ['hand-index 145', circle(6, 0, 100_000), '1075 10764 10769 1a9c3 1a9dc 1a9f'],
  ['hand-index 145', circle(7, 0, 100_000), '10742c 1075c 1077 10784 1a82c 1a9d 1a9e1 1a9e7 1a9e84'],
  [
    'hand-index 146',
    circle(8, 0, 100_000),
    '10774 1077c 10784 1078c 10791 1079c 1a824 1a82c 1a834 1a83b 1a9cc 1a9d4',
  ],
  [
    'hand-index 142',
    circle(9, 0, 100_000),
    '10784 1078c 10794 1079ac 107ec 107f4 1a814 1a81c 1a824 1a82c 1a8304 1a83c',
  ],
]

const cellsOf = (text: string) =>
  text === '' ? [] : text.split(' ').map((cell) => BigInt(`0x${cell.padEnd(16, '0')}`).toString(16))

describe('cells as the real server stores them', () => {
  for (const [where, text, cells] of recorded)
    it(`${text} (${where})`, () => {
      const flags = text.includes('Point') ? 0 : 1
      expect(stored(text)).toEqual({ flags, cells: cellsOf(cells), text })
    })
})

const line = '{"type":"LineString","coordinates":[[0,0],[1,1]]}'
const refused: [string, string][] = [
  ['a longitude of 181 (hand-record 1729)', '{"type":"Point","coordinates":[181,0]}'],
  ['one number (1731)', '{"type":"Point","coordinates":[0]}'],
  ['edges that cross (1735)', polygon([0, 0], [1, 1], [1, 0], [0, 1], [0, 0])],
  ['an open ring (1737)', polygon([0, 0], [1, 0], [1, 1], [0, 1])],
  ['a line (1749)', line],
  ['points (1753)', '{"type":"MultiPoint","coordinates":[[0,0],[1,1]]}'],
  ['a feature that holds a line', `{"type":"Feature","geometry":${line}}`],
  ['a feature that holds nothing', '{"type":"Feature","geometry":null}'],
  ['text in a position', '{"type":"Point","coordinates":["0",0]}'],
  ['three positions', polygon([0, 0], [1, 1], [0, 0])],
  ['a position twice', polygon([0, 0], [1, 0], [1, 0], [1, 1], [0, 0])],
  ['no ring', '{"type":"Polygon","coordinates":[]}'],
  ['no polygon', '{"type":"MultiPolygon","coordinates":[]}'],
  ['a circle without a radius', '{"type":"AeroCircle","coordinates":[[0,0]]}'],
  ['a circle off the earth', circle(0, 91, 5)],
  ['no JSON', '{"type":"Point","coordinates":[0,0]'],
  ['no object', '7'],
  ['nothing', ''],
]

describe('what is no geometry gives 160', () => {
  for (const [what, text] of refused) it(what, () => expect(stored(text)).toBe(160))

  it('a number of cells beyond the bytes', () => {
    const bytes = Buffer.from(`\0\0\x09${circle(0, 0, 5)}`)
    expect(() => geojsonParticle(particle(ParticleType.GEOJSON, bytes))).toThrow(ResultError)
  })

  it('more positions than a polygon may have', () => {
    const many = Array.from({ length: 100_000 }, (_, i): [number, number] => [
      Math.cos(i / 1e5) * 9,
      Math.sin(i / 1e5) * 9,
    ])
    expect(stored(polygon(...many, many[0]!))).toBe(160)
  })
})

const position = fc.tuple(
  fc.double({ min: -179, max: 179, noNaN: true }),
  fc.double({ min: -85, max: 85, noNaN: true }),
)

const isCovered = (cells: readonly string[], point: bigint) =>
  cells.some((cell) => {
    const id = BigInt(`0x${cell}`)
    const reach = (id & -id) - 1n
    return point >= id - reach && point <= id + reach
  })

const regionOf = (text: string) => {
  const geometry = parseGeometry(slice(Buffer.from(text)))
  if (geometry.kind !== 'region') throw new Error('not a region')
  return geometry.region
}

describe('regions and points', () => {
  it('every point of a circle lies in its cells, and none of them holds another', () => {
    fc.assert(
      fc.property(
        position,
        fc.double({ min: 1, max: 300_000, noNaN: true }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.double({ min: 0, max: 6.28, noNaN: true }),
        ([longitude, latitude], radius, share, bearing) => {
          const text = circle(longitude, latitude, radius)
          const value = stored(text)
          if (typeof value === 'number') throw new Error('refused')
          const [east, north] = shifted(longitude, latitude, radius * share, bearing)
          expect(regionOf(text).holdsPoint([east, north])).toBe(true)
          expect(isCovered(value.cells, pointCell(east, north))).toBe(true)
          expect(value.cells.length).toBeLessThanOrEqual(12)
          for (const cell of value.cells) {
            const others = value.cells.filter((other) => other !== cell)
            expect(isCovered(others, BigInt(`0x${cell}`))).toBe(false)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('a polygon holds the points inside its ring but not those of its hole', () => {
    const square = (half: number): [number, number][] => [
      [10 - half, 50 - half],
      [10 + half, 50 - half],
      [10 + half, 50 + half],
      [10 - half, 50 + half],
      [10 - half, 50 - half],
    ]
    const text = JSON.stringify({ type: 'Polygon', coordinates: [square(2), square(1)] })
    const region = regionOf(text)
    expect(region.holdsPoint([10, 50])).toBe(false)
    expect(region.holdsPoint([11.5, 50])).toBe(true)
    expect(region.holdsPoint([12.5, 50])).toBe(false)
  })

  it('takes a ring in either direction', () => {
    const ring: [number, number][] = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
      [0, 0],
    ]
    expect(stored(polygon(...[...ring].reverse()))).toMatchObject({
      cells: (stored(polygon(...ring)) as Stored).cells,
    })
  })
})

/** The point at a distance in metres and a bearing. */
function shifted(longitude: number, latitude: number, metres: number, bearing: number): [number, number] {
  const angle = metres / 6_371_000
  const [lat, lon] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180]
  const north = Math.asin(
    Math.sin(lat) * Math.cos(angle) + Math.cos(lat) * Math.sin(angle) * Math.cos(bearing),
  )
  const east =
    lon +
    Math.atan2(
      Math.sin(bearing) * Math.sin(angle) * Math.cos(lat),
      Math.cos(angle) - Math.sin(lat) * Math.sin(north),
    )
  const degrees = (east * 180) / Math.PI
  return [((((degrees + 180) % 360) + 360) % 360) - 180, (north * 180) / Math.PI]
}
