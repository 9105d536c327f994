/** Names a record. Integers (safe ones or bigint), text and bytes may be keys. */
export interface Key {
  readonly namespace: string
  readonly set?: string
  readonly key: string | number | bigint | Buffer
}
