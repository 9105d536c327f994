/** Whose clock a view does not go by (K1 and K2 of cluster/README.md). */
import { describe, expect, it } from 'vitest'
import { PeerClocks } from '../../../engine/src/cluster/peer-clocks.ts'

const NOW = 1_795_000_000_000
const WINDOW = 1500
const BEAT = 150
const BOUND = 40_000

/** A node A1 with a steady clock and one of its own, and peers whose beats come after a delay. */
class Scene {
  steady = 0
  own = 0
  readonly #clocks: PeerClocks

  constructor(bound = BOUND) {
    this.#clocks = new PeerClocks({
      ...{ self: 'A1', bound, window: WINDOW },
      clock: () => NOW + this.steady + this.own,
    })
  }

  /** Lets beats of peers, each so far ahead, come for a while. */
  hear(ahead: Readonly<Record<string, number>>, time = 3 * WINDOW, delay = 5): PeerClocks {
    for (const end = this.steady + time; this.steady < end; this.steady += BEAT)
      for (const [id, skew] of Object.entries(ahead))
        this.#clocks.hear(this.steady + delay, id, NOW + this.steady + skew)
    this.#clocks.judge(this.steady, ['A1', ...Object.keys(ahead)])
    return this.#clocks
  }
}

describe('the clocks of a view', () => {
  it('are as far apart as they are, less the way of a message', () => {
    const clocks = new Scene().hear({ A2: 500, A3: -200 })
    expect(clocks.skew).toBe(700)
    expect(clocks.outliers).toEqual([])
    expect(clocks.isRefused).toBe(false)
    expect(clocks.takeNotes()).toEqual([])
  })

  it('refuse the one that most are far from, which knows it, and take it again', () => {
    const other = new Scene().hear({ A2: 0, A3: 7_200_000 })
    expect([other.outliers, other.isRefused]).toEqual([['A3'], false])
    expect(other.takeNotes()).toEqual([
      'clocks are 7200000 ms apart, 40000 may be: it is the clock of A3; set the clocks right',
    ])
    const scene = new Scene()
    const own = scene.hear({ A2: 7_200_000, A3: 7_200_000 })
    expect([own.outliers, own.isRefused]).toEqual([['A1'], true])
    expect(own.takeNotes().join()).toContain("this node's clock (A1); it takes no writes")
    scene.hear({ A2: 7_200_000, A3: 7_200_000 })
    expect(own.takeNotes()).toEqual([])
    scene.own = 7_200_000
    scene.hear({ A2: 7_200_000, A3: 7_200_000 }, BEAT)
    expect([own.outliers, own.isRefused, own.takeNotes()]).toEqual([[], false, ['the clocks agree again']])
  })

  it.each([
    ['two of them', { A2: 7_200_000 }],
    ['each is far from the others', { A2: 7_200_000, A3: -7_200_000 }],
    ['two pairs', { A2: 0, A3: 7_200_000, A4: 7_200_000 }],
  ])('refuse none where most do not agree: %s', (_name, ahead) => {
    const clocks = new Scene().hear(ahead)
    expect(clocks.isRefused).toBe(false)
    expect(clocks.outliers).not.toEqual([])
    expect(clocks.skew).toBeGreaterThan(BOUND)
  })

  it('judge nobody by what waited while this node stood still', () => {
    const scene = new Scene()
    scene.hear({ A2: 0, A3: 0 })
    // Ten minutes later all that came meanwhile is heard at once.
    const before = scene.steady
    scene.steady += 600_000
    const clocks = scene.hear({ A2: before - scene.steady, A3: before - scene.steady }, BEAT)
    expect([clocks.outliers, clocks.isRefused]).toEqual([[], false])
    expect(scene.hear({ A2: 0, A3: 0 }).skew).toBeLessThan(10)
  })

  it('have no bound where it is 0', () => {
    const clocks = new Scene(0).hear({ A2: 7_200_000, A3: 7_200_000 })
    expect([clocks.skew > 7_000_000, clocks.isRefused, clocks.latest]).toEqual([true, false, Infinity])
  })

  it('count times that nobody believes, and say so once a minute', () => {
    const clocks = new Scene().hear({ A2: 0 })
    expect(clocks.latest).toBe(NOW + 3 * WINDOW + BOUND)
    for (let i = 0; i < 3; i++) clocks.refuse(i, NOW + 100_000)
    expect(clocks.refusedTimes).toBe(3)
    expect(clocks.takeNotes()).toHaveLength(1)
  })
})
