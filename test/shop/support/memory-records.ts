import type {
  RecordBins,
  RecordKey,
  Records,
  StoredRecord,
  WritePolicy,
} from '../../../shop-api/src/records.ts'

class RecordError extends Error {
  readonly reason: string

  constructor(reason: string) {
    super(reason)
    this.reason = reason
  }
}

/** Records in a Map with the engine's rules for existence and generation, for tests of what stands above it. */
export class MemoryRecords implements Records {
  readonly stored = new Map<
    string,
    { bins: RecordBins; generation: number; ttl: number | 'never' | undefined }
  >()
  /** Called before each write; may throw, or wait for others. */
  beforeWrite: (key: RecordKey) => Promise<void> = () => Promise.resolve()
  writes = 0

  async get(key: RecordKey): Promise<StoredRecord | undefined> {
    await Promise.resolve()
    const found = this.stored.get(nameOf(key))
    return found && { bins: { ...found.bins }, generation: found.generation }
  }

  /** Whether `getNow` answers at once, as an engine in the process does. */
  answersNow = false
  getNow: Records['getNow'] = (key) => (this.answersNow ? this.stored.get(nameOf(key)) : this.get(key))

  getMany(keys: RecordKey[]): Promise<(StoredRecord | undefined)[]> {
    return Promise.all(keys.map((key) => this.get(key)))
  }

  async put(key: RecordKey, bins: RecordBins, policy: WritePolicy = {}): Promise<{ generation: number }> {
    await this.beforeWrite(key)
    const found = this.stored.get(nameOf(key))
    if (policy.exists === 'create' && found) throw new RecordError('RECORD_EXISTS')
    if (policy.exists === 'update' && !found) throw new RecordError('NOT_FOUND')
    if (policy.generation !== undefined && found?.generation !== policy.generation)
      throw new RecordError('GENERATION')
    this.writes++
    const generation = (found?.generation ?? 0) + 1
    this.stored.set(nameOf(key), { bins: { ...found?.bins, ...bins }, generation, ttl: policy.ttl })
    return { generation }
  }

  async remove(key: RecordKey): Promise<boolean> {
    await this.beforeWrite(key)
    return this.stored.delete(nameOf(key))
  }
}

const nameOf = ({ namespace, set, key }: RecordKey) => `${namespace}/${set}/${key}`
