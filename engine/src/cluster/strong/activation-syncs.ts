/**
 * Brings to disk together what the partitions of a namespace write before they serve in a view (rule A4). All that
 * becomes ready while it is held goes with one sync of the data and one file of metas; what comes later goes turn by
 * turn. To wait is sound, since a partition that has not written its activation does not serve; how long is bounded by
 * whoever holds.
 */
import type { CopyDisk } from './copy-disk.ts'

type Sync = CopyDisk<unknown>['whenSynced']

export class ActivationSyncs {
  readonly #sync: Sync
  readonly #waiting = { data: new Array<() => void>(), meta: new Array<() => void>() }
  #isHeld = false
  /** The newest sync of data that is under way. */
  #syncing: object | undefined

  /** `sync` is that of any copy: the copies of a namespace share their files. */
  constructor(sync: Sync) {
    this.#sync = sync
  }

  /** A view begins; what an earlier one waited for is of no use any more. */
  hold(): void {
    this.leave()
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
  }

  leave(): void {
    this.#waiting.data = []
    this.#waiting.meta = []
    this.#syncing = undefined
    this.#isHeld = false
  }

  whenSynced(file: 'data' | 'meta', done: () => void): void {
    this.#waiting[file].push(done)
  }

  /** To be called at the end of each turn. */
  flush(): void {
    if (this.#isHeld) return
    this.#start('data')
    // Those who wait for the data want their metas next: one file for them and for those who need no data.
    if (!this.#syncing) this.#start('meta')
  }

  #start(file: 'data' | 'meta'): void {
    const all = this.#waiting[file]
    if (all.length === 0) return
    this.#waiting[file] = []
    const syncing = file === 'data' ? (this.#syncing = {}) : undefined
    this.#sync(file, () => {
      if (syncing === this.#syncing) this.#syncing = undefined
      for (const done of all) done()
    })
  }
}
