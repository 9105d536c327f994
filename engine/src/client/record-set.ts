import { ClientCode, ClientError } from '../protocol/client-error.ts'
import type { Key } from '../protocol/key.ts'
import type { Value } from '../protocol/value-codec.ts'
import type { Bins } from './answer-message.ts'
import type { Client } from './client.ts'
import type { ReadPolicy, WritePolicy } from './policy.ts'
import type { ClientRecord, Metadata } from './record.ts'

export interface RecordForm<T> {
  readonly namespace: string
  readonly set: string
  /** Answers the bins in their form, or throws where they have another, as the `parse` of a schema does. */
  readonly parse: (bins: Readonly<Bins>) => T
}

type WholeReadPolicy = Omit<ReadPolicy, 'bins'>

/** What may be written of such bins; null removes one. */
type Written<T> = { readonly [Name in keyof T]?: T[Name] | null }

/**
 * The records of one set whose bins have one form. What is read is checked: bins of another form are the error FORM,
 * not a surprise further on. Made with `client.records`.
 *
 * @example
 * const Product = z.object({ name: z.string(), price: z.number() })
 * const products = client.records({ namespace: 'shop', set: 'product', parse: Product.parse })
 * const laptop = await products.get('laptop-15')
 * console.log(laptop?.bins.price)
 */
export class RecordSet<T extends { readonly [Name in keyof T]: Value }> {
  readonly #client: Client
  readonly #form: RecordForm<T>

  constructor(client: Client, form: RecordForm<T>) {
    this.#client = client
    this.#form = form
  }

  keyOf(key: Key['key']): Key {
    const { namespace, set } = this.#form
    return { namespace, set, key }
  }

  /** Undefined when there is no such record. */
  async get(key: Key['key'], policy?: WholeReadPolicy): Promise<ClientRecord<T> | undefined> {
    const record = await this.#client.get(this.keyOf(key), policy)
    return record && this.#formed(key, record)
  }

  /** In the order of the keys; undefined where there is no such record. */
  async getMany(
    keys: readonly Key['key'][],
    policy?: WholeReadPolicy,
  ): Promise<(ClientRecord<T> | undefined)[]> {
    const records = await this.#client.getMany(
      keys.map((key) => this.keyOf(key)),
      policy,
    )
    return records.map((record, i) => record && this.#formed(keys[i]!, record))
  }

  /** Writes the whole record: bins that are not named go. */
  put(key: Key['key'], bins: T, policy?: WritePolicy): Promise<Metadata> {
    return this.#client.put(this.keyOf(key), { ...bins }, { exists: 'create-or-replace', ...policy })
  }

  /** Changes these bins of a record that is there; fails with NOT_FOUND otherwise. */
  update(key: Key['key'], bins: Written<T>, policy?: WritePolicy): Promise<Metadata> {
    return this.#client.put(this.keyOf(key), { ...bins }, { exists: 'update', ...policy })
  }

  /** False when there was no such record. */
  remove(key: Key['key'], policy?: WritePolicy): Promise<boolean> {
    return this.#client.remove(this.keyOf(key), policy)
  }

  #formed(key: Key['key'], record: ClientRecord): ClientRecord<T> {
    try {
      return { ...record, bins: this.#form.parse(record.bins) }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      throw new ClientError(ClientCode.FORM, { key: this.keyOf(key), message, cause: error })
    }
  }
}
