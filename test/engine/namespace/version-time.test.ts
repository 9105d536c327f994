/** Time and generation of a version against those of the one it replaces (C5 of cluster/README.md). */
import { describe, expect, it } from 'vitest'
import { newView } from '../../../engine/src/storage/record.ts'
import { digestOf } from '../server/messages.ts'
import { Fixture } from './fixture.ts'

const HOUR_S = 3600
const DAY_MS = 86_400_000

describe('a version that replaces another one', () => {
  it.each([
    ['an update', (at: Fixture) => at.write()],
    ['a delete', (at: Fixture) => at.remove()],
  ])('is not older when the clock has gone back: %s', async (_name, change) => {
    const at = await Fixture.open({ tombstoneLife: DAY_MS })
    at.write()
    const written = standing(at)
    at.pass(-HOUR_S)
    expect(change(at)).toBe(0)
    expect(standing(at).lastUpdate).toBe(written.lastUpdate)
    expect(standing(at).sequence).toBe(written.sequence + 1)
  })

  it('is not older than a delete that stood there', async () => {
    const at = await Fixture.open({ tombstoneLife: DAY_MS })
    at.write()
    at.pass(HOUR_S)
    at.remove()
    const deleted = standing(at)
    expect(deleted.kind).toBe('delete')
    at.pass(-HOUR_S)
    expect(at.write()).toBe(0)
    expect(standing(at)).toMatchObject({ kind: 'record', generation: 1, lastUpdate: deleted.lastUpdate })
  })

  it('has the next generation when it is a delete', async () => {
    const at = await Fixture.open({ tombstoneLife: DAY_MS })
    for (let i = 0; i < 5; i++) at.write()
    at.remove()
    expect(standing(at)).toMatchObject({ kind: 'delete', generation: 6 })
  })
})

function standing({ store }: Fixture) {
  const view = newView()
  const kind = store.findVersion(digestOf(1), 0, view)
  const { generation, lastUpdate, sequence } = view
  return { kind, generation, lastUpdate, sequence }
}
