import type { Namespace } from '../namespace/namespace.ts'
import type { SettingChange } from '../cluster/system-metadata.ts'
import { conflictPolicies } from '../namespace/namespace-config.ts'
import { MAX_TTL_S } from '../protocol/time-to-live.ts'
import { ResultError } from '../values/result-code.ts'
import type { ClusterEntrance, NamespaceTruncation } from './cluster-entrance.ts'
import { Latencies } from './latency.ts'
import type { NamespaceState, SetState } from './node-state.ts'
import { choiceSetting, numberSetting, Settings, switchSetting } from './settings.ts'

const DAY_S = 86_400
const MAX_RECORD_BYTES = 8 * 1024 * 1024

/** What becomes of a namespace in its cluster; the same while the node runs. */
export interface NamespacePlace {
  readonly 'replication-factor': number
  readonly 'strong-consistency': boolean
  readonly 'rack-id'?: number
}

/** A namespace of this node, as info commands see it. */
export class LocalNamespace implements NamespaceState {
  readonly latencies = new Latencies()
  readonly settings: Settings
  readonly #namespace: Namespace
  readonly #ticketOf: (position: number) => number
  #cluster: ClusterEntrance | undefined
  readonly #setSettings = new Map<string, Settings>()

  /** `ticketOf` makes a position of the store what an answer can wait for. */
  constructor(namespace: Namespace, place: NamespacePlace, ticketOf: (position: number) => number) {
    this.#namespace = namespace
    this.#ticketOf = ticketOf
    this.settings = namespaceSettings(namespace, place, this.#tellAll(''))
  }

  /** From now on what concerns all nodes goes by way of the cluster. */
  join(cluster: ClusterEntrance): void {
    this.#cluster = cluster
  }

  get name(): string {
    return this.#namespace.name
  }

  get objects(): number {
    return this.#namespace.store.objects
  }

  statistics(): ReadonlyMap<string, string | number | boolean> {
    const { store, counters } = this.#namespace
    const { objects, indexBytes, dataBytes, dataUsedBytes } = store.stats()
    return new Map<string, string | number | boolean>([
      ['objects', objects],
      ['tombstones', store.tombstones],
      ['master_objects', objects],
      ['master_tombstones', store.tombstones],
      ['prole_objects', 0],
      ['non_replica_objects', 0],
      ['dead_partitions', 0],
      ['unavailable_partitions', 0],
      ['clock_skew_stop_writes', false],
      ['stop_writes', store.stopWrites],
      ['hwm_breached', false],
      ['index_used_bytes', indexBytes],
      ['data_total_bytes', dataBytes],
      ['data_used_bytes', dataUsedBytes],
      ['migrate_tx_partitions_remaining', 0],
      ['migrate_rx_partitions_remaining', 0],
      ...Object.entries(counters),
    ])
  }

  sets(): readonly SetState[] {
    const strong = this.strongTruncation
    return this.#namespace.store.sets.slice(1).map(({ name: slice, objects, bytes, truncateBefore }) => {
      const name = slice.buffer.toString('latin1', slice.start, slice.end)
      const truncatedAt = strong ? strong.lastOf(name) : truncateBefore
      return { name, objects, tombstones: 0, dataBytes: bytes, truncatedAt }
    })
  }

  setSettings(set: string): Settings {
    const known = this.#setSettings.get(set)
    if (known) return known
    const values = this.#namespace.setSettings(set)
    const settings = new Settings(this.#tellAll(set))
      .define('default-read-touch-ttl-pct', numbers(values, 'defaultReadTouchTtlPct', 100))
      .define(
        'default-ttl',
        numberSetting(
          () => values.defaultTtl,
          (ttl) => void (values.defaultTtl = ttl),
          { max: MAX_TTL_S, unit: 'time' },
        ),
      )
      .define(
        'disable-eviction',
        switchSetting(
          () => values.disableEviction,
          (off) => void (values.disableEviction = off),
        ),
      )
      .fixed({ 'enable-index': false })
      .define('stop-writes-count', numbers(values, 'stopWritesCount', Number.MAX_SAFE_INTEGER))
      .define('stop-writes-size', numbers(values, 'stopWritesSize', Number.MAX_SAFE_INTEGER))
    this.#setSettings.set(set, settings)
    return settings
  }

  /** Makes a setting what the cluster says. */
  adopt({ set, name, value }: Omit<SettingChange, 'namespace'>): void {
    try {
      const settings = set === '' ? this.settings : this.setSettings(set)
      settings.adopt(name, value)
    } catch (error) {
      // There is no room for the set here, so there will be no records of it either.
      if (!(error instanceof ResultError)) throw error
    }
  }

  /** Settings of namespaces and sets are the cluster's. */
  #tellAll(set: string): (name: string, value: string) => void {
    return (name, value) => this.#cluster?.set({ namespace: this.name, set, name, value })
  }

  get strongTruncation(): NamespaceTruncation | undefined {
    return this.#cluster?.strongTruncation(this.name)
  }

  truncate(set: string | undefined, before: number): number {
    const isSpread = this.#cluster?.truncate(this.name, set, before) === true
    if (!isSpread) this.#namespace.truncate(set, before)
    return this.#ticketOf(this.#namespace.store.commitPosition)
  }

  untruncate(set: string | undefined): void {
    const isSpread = this.#cluster?.truncate(this.name, set, 0) === true
    if (!isSpread) this.#namespace.untruncate(set)
  }
}

/** A whole number that stands in `values` under `key`. */
function numbers<K extends string>(values: Record<K, number>, key: K, max: number) {
  return numberSetting(
    () => values[key],
    (value) => void (values[key] = value),
    { max },
  )
}

function switches<K extends string>(values: Record<K, boolean>, key: K) {
  return switchSetting(
    () => values[key],
    (value) => void (values[key] = value),
  )
}

/** Context `namespace` of get-config and set-config. */
function namespaceSettings(
  { settings }: Namespace,
  place: NamespacePlace,
  onChange: (name: string, value: string) => void,
): Settings {
  const ttl = { max: MAX_TTL_S, unit: 'time' } as const
  const setTtl = (seconds: number): void => void (settings.defaultTtl = seconds)
  const shown = new Settings(onChange).define(
    'allow-ttl-without-nsup',
    switches(settings, 'allowTtlWithoutNsup'),
  )
  if (!place['strong-consistency'])
    shown.define(
      'conflict-resolution-policy',
      choiceSetting(
        () => settings.conflictResolutionPolicy,
        (policy) => void (settings.conflictResolutionPolicy = policy),
        conflictPolicies,
      ),
    )
  return shown
    .define('default-read-touch-ttl-pct', numbers(settings, 'defaultReadTouchTtlPct', 100))
    .define('default-ttl', {
      ...numberSetting(
        () => settings.defaultTtl,
        (seconds) => {
          if (seconds > 0 && settings.nsupPeriod === 0 && !settings.allowTtlWithoutNsup) return false
          setTtl(seconds)
          return true
        },
        ttl,
      ),
      // What allows it may come later.
      adopt: numberSetting(() => settings.defaultTtl, setTtl, ttl).change,
    })
    .define('disallow-null-setname', switches(settings, 'disallowNullSetname'))
    .define(
      'max-record-size',
      numberSetting(
        () => settings.maxRecordSize,
        (bytes) => void (settings.maxRecordSize = bytes),
        { min: 1024, max: MAX_RECORD_BYTES, unit: 'size' },
      ),
    )
    .define(
      'nsup-period',
      numberSetting(
        () => settings.nsupPeriod,
        (seconds) => void (settings.nsupPeriod = seconds),
        { max: DAY_S, unit: 'time' },
      ),
    )
    .define('reject-non-xdr-writes', switches(settings, 'rejectNonXdrWrites'))
    .define('reject-xdr-writes', switches(settings, 'rejectXdrWrites'))
    .fixed({
      ...place,
      'index-type': 'mem',
      'sindex-type': 'mem',
      'storage-engine': 'memory',
    })
}
