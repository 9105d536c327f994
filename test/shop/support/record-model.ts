import type {
  RecordBins,
  RecordKey,
  Records,
  StoredRecord,
  WritePolicy,
} from '../../../shop-api/src/records.ts'

class Refused extends Error {
  readonly reason: string

  constructor(reason: string) {
    super(reason)
    this.reason = reason
  }
}

/** Plain records with generations, over a map. */
export class RecordModel implements Records {
  readonly #records = new Map<string, StoredRecord>()

  #name(key: RecordKey): string {
    return `${key.namespace}|${key.set}|${key.key}`
  }

  async get(key: RecordKey): Promise<StoredRecord | undefined> {
    return this.#records.get(this.#name(key))
  }

  async getMany(keys: RecordKey[]): Promise<(StoredRecord | undefined)[]> {
    return keys.map((key) => this.#records.get(this.#name(key)))
  }

  async put(key: RecordKey, bins: RecordBins, policy: WritePolicy = {}): Promise<{ generation: number }> {
    const old = this.#records.get(this.#name(key))
    if (policy.exists === 'create' && old) throw new Refused('RECORD_EXISTS')
    if (policy.exists === 'update' && !old) throw new Refused('NOT_FOUND')
    if (policy.generation !== undefined && policy.generation !== old?.generation)
      throw new Refused('GENERATION')
    const generation = (old?.generation ?? 0) + 1
    this.#records.set(this.#name(key), { bins: { ...old?.bins, ...bins }, generation })
    return { generation }
  }

  async remove(key: RecordKey): Promise<boolean> {
    return this.#records.delete(this.#name(key))
  }
}
