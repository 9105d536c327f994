import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { CopyChange, CopyDisk, Entry } from '../../../engine/src/cluster/strong/copy-disk.ts'
import { blankMeta } from '../../../engine/src/cluster/strong/copy-meta.ts'
import { begun, noLineage } from '../../../engine/src/cluster/strong/lineage.ts'
import { laterPosition, origin, type Position } from '../../../engine/src/cluster/strong/position.ts'
import type { RecordContent } from '../../../engine/src/cluster/strong/record-content.ts'
import { type Truncations, withTruncation } from '../../../engine/src/cluster/strong/truncation.ts'
import { SimulatedDisk } from '../../../engine/src/simulator/disk.ts'
import { Random } from '../../../engine/src/simulator/random.ts'
import { StrongDisk } from '../../../engine/src/simulator/strong-disk.ts'
import { digestOf, open, pause, type Run, type Setting, slowDisk } from './strong-fixture.ts'

const used = [0, 5, 9]

function contentOf(text: string): RecordContent {
  return {
    generation: 1 + (text.length % 5),
    voidTime: text.length % 3 === 0 ? 77 : 0,
    lastUpdate: 1_700_000_000_000 + text.length,
    set: text.length % 2 === 0 ? 'set' : '',
    key: Buffer.from(text.slice(0, 2)),
    bins: Buffer.from(text),
    binCount: 1,
  }
}

const textOf = (content: RecordContent | undefined): string | undefined => {
  if (!content) return undefined
  const text = content.bins.toString()
  expect(content).toEqual(contentOf(text))
  return text
}

/** All that a disk says of itself. */
function sight<Content>(
  disk: CopyDisk<Content>,
  show: (content: Content | undefined) => string | undefined,
  point: Position,
): unknown {
  const digests = disk.digestsAfter(undefined, Infinity)
  return {
    versions: digests.map((digest) => {
      const { position, content } = disk.find(digest)!
      return [digest, position, show(content)]
    }),
    part: disk.digestsAfter(digests[1], 2),
    above: disk.digestsAbove(point).sort(),
    droppable: [disk.droppable(point, Infinity).sort(), disk.droppable(point, 2).length],
    lineage: disk.lineage,
    horizon: disk.horizon,
    truncations: disk.truncations,
  }
}

type Change = CopyChange<string>

function model(changes: readonly Change[]): StrongDisk {
  const disk = new StrongDisk(
    { later: () => undefined },
    blankMeta,
    noLineage,
    (_, text) => contentOf(text).set,
  )
  for (const change of changes) disk.apply(change)
  return disk
}

/** Makes changes as the machines of one partition make them, in any order that they can. */
class Writer {
  readonly #partition: number
  readonly #random: Random
  #regime = 0
  #truncations = 0
  #mode: 'away' | 'following' | 'filling' = 'away'

  constructor(partition: number, random: Random) {
    this.#partition = partition
    this.#random = random
  }

  leave(): void {
    this.#mode = 'away'
  }

  next(disk: StrongDisk): Change {
    if (this.#mode === 'away' || this.#random.chance(0.04)) return this.#enter(disk)
    return this.#mode === 'following' ? this.#follow(disk) : this.#fill(disk)
  }

  #enter(disk: StrongDisk): Change {
    this.#regime = Math.max(this.#regime, disk.lineage.state.regime) + 1 + this.#random.below(2 ** 30)
    if (disk.lineage.epochs.length > 0 && this.#random.chance(0.4)) {
      this.#mode = 'filling'
      if (this.#random.chance(0.5)) return this.#fill(disk)
      return { horizon: laterPosition(disk.horizon, this.#position()) }
    }
    this.#mode = 'following'
    const lineage = begun(disk.lineage, this.#regime)
    const unit = { horizon: disk.horizon, truncations: disk.truncations, lineage }
    if (this.#random.chance(0.4)) return unit
    return { ...unit, whole: this.#random.chance(0.3), entries: this.#entries(disk, 6) }
  }

  #follow(disk: StrongDisk): Change {
    const { state } = disk.lineage
    const position = { regime: state.regime, sequence: state.sequence + 1 }
    if (this.#random.chance(0.05)) return { truncations: this.#truncated(disk, position), state: position }
    if (this.#random.chance(0.1)) {
      const gone = disk.droppable(state, this.#random.below(9))
      const horizon = gone.reduce(
        (to, digest) => laterPosition(to, disk.find(digest)!.position),
        disk.horizon,
      )
      if (gone.length > 0) return { entries: gone.map((digest) => [digest, undefined] as const), horizon }
    }
    return { entries: [[this.#digest(), { position, content: this.#content(0.25) }]], state: position }
  }

  #fill(disk: StrongDisk): Change {
    const odds = this.#random.fraction()
    if (odds < 0.5) return { entries: this.#entries(disk, 3) }
    if (odds < 0.75) {
      const position = { regime: this.#regime, sequence: 1 + this.#random.below(1000) }
      return { entries: [[this.#digest(), { position, content: this.#content(0.25) }]] }
    }
    if (odds < 0.85) {
      const [after, upTo] = [this.#digest(), this.#digest()].sort()
      const range = this.#random.pick([
        { after, upTo },
        { after: undefined, upTo },
        { after, upTo: undefined },
      ])
      return { range, entries: this.#entries(disk, 3) }
    }
    this.#mode = 'following'
    const lineage = begun({ ...disk.lineage, state: this.#position() }, this.#regime)
    const state = { regime: this.#regime, sequence: this.#random.below(1000) }
    return {
      lineage: { ...lineage, state },
      truncations: this.#truncated(disk, this.#position()),
      horizon: disk.horizon,
    }
  }

  #entries(disk: StrongDisk, most: number): Entry<string>[] {
    const entries = new Map<string, Entry<string>>()
    for (let i = this.#random.below(most + 1); i > 0; i--) {
      const digest = this.#digest()
      const version = { position: this.#position(), content: this.#content(0.3) }
      entries.set(digest, [digest, this.#random.chance(0.25) ? undefined : version])
    }
    return [...entries.values()].filter(([digest, version]) => version ?? disk.find(digest))
  }

  #truncated(disk: StrongDisk, position: Position): Truncations {
    const set = this.#random.pick(['', 'set', 'nobody'])
    return withTruncation(disk.truncations, { set, number: ++this.#truncations, position })
  }

  #position(): Position {
    return { regime: this.#random.below(this.#regime), sequence: 1 + this.#random.below(1000) }
  }

  #content(deletes: number): string | undefined {
    return this.#random.chance(deletes) ? undefined : 'x'.repeat(this.#random.below(300)) + this.#random.id()
  }

  #digest(): string {
    return digestOf(this.#partition, this.#random.below(12))
  }
}

const real = ({ entries, ...rest }: Change): CopyChange<RecordContent> => ({
  ...rest,
  ...(entries && {
    entries: entries.map(([digest, version]) => {
      const content = version?.content === undefined ? undefined : contentOf(version.content)
      return [digest, version && { position: version.position, content }] as const
    }),
  }),
})

/** One life of a store after another, and what was given to it. */
class Trial {
  readonly #random: Random
  readonly #setting: Setting
  #disk: SimulatedDisk
  #run: Run
  #writers: Writer[]
  /** In the order in which they were given: the partition's number in `used`, and the change. */
  #log: [number, Change][] = []
  #synced = 0
  #metas = used.map(() => [blankMeta])
  #syncedMetas = used.map(() => 1)
  #models = used.map(() => model([]))

  private constructor(random: Random, setting: Setting, disk: SimulatedDisk, run: Run) {
    this.#random = random
    this.#setting = setting
    this.#disk = disk
    this.#run = run
    this.#writers = used.map((partition) => new Writer(partition, random))
  }

  static async begin(seed: number): Promise<Trial> {
    const random = new Random(seed)
    const setting: Setting = {
      durability: random.pick(['flush', 'commit']),
      segmentBytes: random.pick([4096, 16384]),
    }
    const disk = new SimulatedDisk(slowDisk(random))
    return new Trial(random, setting, disk, await open(disk, setting))
  }

  async step(now: number): Promise<void> {
    const i = this.#random.below(used.length)
    const disk = this.#run.copies.disk(used[i]!)
    const change = this.#writers[i]!.next(this.#models[i]!)
    this.#log.push([i, change])
    this.#models[i]!.apply(change)
    disk.apply(real(change))
    if (this.#random.chance(0.1)) this.#keep(i)
    if (this.#random.chance(0.1)) this.#waitForData()
    if (this.#random.chance(0.3)) this.#run.store.runSlice(now, 1)
    if (this.#random.chance(0.3)) await pause()
    if (this.#random.chance(0.1)) this.#compare(this.#models)
  }

  async losePower(): Promise<void> {
    const options = slowDisk(this.#random)
    this.#disk = this.#random.chance(0.7) ? this.#disk.losePower(options) : this.#disk.endProcess(options)
    await this.#reopen()
    const end = this.#recoveredUpTo()
    expect(end, 'what is there after the failure is no beginning of what was given').toBeDefined()
    this.#log = this.#log.slice(0, end)
    this.#synced = this.#log.length
    this.#models = this.#modelsAt(this.#log.length)
    for (const [i, metas] of this.#metas.entries()) {
      const found = this.#run.copies.disk(used[i]!).meta
      const at = metas.findLastIndex((meta) => isDeepStrictEqual(meta, found))
      expect(at + 1, `meta ${JSON.stringify(found)}`).toBeGreaterThanOrEqual(this.#syncedMetas[i]!)
      this.#metas[i] = [found]
      this.#syncedMetas[i] = 1
    }
    for (const writer of this.#writers) writer.leave()
  }

  async stop(): Promise<void> {
    await this.#run.copies.close()
    await this.#run.store.close()
    this.#disk = this.#disk.losePower(slowDisk(this.#random))
    await this.#reopen()
    expect(this.#run.store.startedClean).toBe(true)
    this.#synced = this.#log.length
    this.#metas = this.#metas.map((metas) => [{ ...metas.at(-1)!, closed: true }])
    this.#syncedMetas = used.map(() => 1)
    this.#compare(this.#models)
    expect(used.map((partition) => this.#run.copies.disk(partition).meta)).toEqual(
      this.#metas.map(([meta]) => meta),
    )
  }

  async #reopen(): Promise<void> {
    this.#run = await open(this.#disk, this.#setting)
  }

  #keep(i: number): void {
    const disk = this.#run.copies.disk(used[i]!)
    const number = this.#random.below(5)
    const view = { number, leader: 'A', incarnation: this.#random.pick(['x', 'y']) }
    const start = { regime: number, sequence: this.#random.below(9) }
    const activation = {
      regime: view,
      previous: view,
      members: [{ id: 'A', incarnation: 'x' }],
      start,
      synced: true,
    }
    const meta = { ...disk.meta, activations: [activation], claims: [view], closed: false }
    disk.keep(meta)
    const at = this.#metas[i]!.push(meta)
    if (this.#random.chance(0.5))
      disk.whenSynced('meta', () => (this.#syncedMetas[i] = Math.max(this.#syncedMetas[i]!, at)))
    else this.#run.copies.tick()
  }

  #waitForData(): void {
    const at = this.#log.length
    const disk = this.#run.copies.disk(used[0]!)
    disk.whenSynced('data', () => (this.#synced = Math.max(this.#synced, at)))
  }

  #modelsAt(end: number): StrongDisk[] {
    return used.map((_, i) =>
      model(this.#log.slice(0, end).flatMap(([of, change]) => (of === i ? [change] : []))),
    )
  }

  /** How many of the changes are there; at least those that were synced. */
  #recoveredUpTo(): number | undefined {
    const found = JSON.stringify(this.#sights())
    for (let end = this.#log.length; end >= this.#synced; end--) {
      const models = this.#modelsAt(end)
      if (JSON.stringify(models.map((disk) => sight(disk, String, this.#point))) === found) return end
    }
    return undefined
  }

  #sights(): unknown[] {
    return used.map((partition) =>
      sight(this.#run.copies.disk(partition), (content) => String(textOf(content)), this.#point),
    )
  }

  #point = origin

  #compare(models: readonly StrongDisk[]): void {
    this.#point = { regime: this.#random.below(2 ** 32), sequence: this.#random.below(1000) }
    expect(this.#sights()).toEqual(models.map((disk) => sight(disk, String, this.#point)))
  }
}

async function play(seed: number, steps: number): Promise<void> {
  const trial = await Trial.begin(seed)
  const random = new Random(seed + 1)
  for (let step = 0; step < steps; step++) {
    await trial.step(step * 20)
    if (random.chance(0.02)) await trial.losePower()
    else if (random.chance(0.01)) await trial.stop()
  }
}

const isLong = process.env['LARDER_LONG'] === '1'

describe('strong copies over a real store', () => {
  const [seeds, steps] = isLong ? [2000, 500] : [40, 300]

  it(
    'are what a model says, before and after power failures and stops',
    async () => {
      for (let seed = 1; seed <= seeds; seed++)
        await play(seed, steps).catch((error: unknown) => {
          throw new Error(`seed ${seed}`, { cause: error })
        })
    },
    isLong ? 3_600_000 : undefined,
  )
})
