import { Problem } from '../http/problem.ts'
import { CategoryIdSchema, ProductIdSchema } from './product.ts'

/** A cursor is opaque to clients: the listing it was made for, and the last id it showed. */
export function encodeCursor(category: string, lastId: string): string {
  return Buffer.from(`1:${category}:${lastId}`).toString('base64url')
}

/** @throws Problem invalid-cursor when it was not made by this listing */
export function decodeCursor(category: string, cursor: string): string {
  const [version, madeFor, lastId, ...rest] = Buffer.from(cursor, 'base64url').toString('utf8').split(':')
  const wellFormed =
    version === '1' &&
    rest.length === 0 &&
    CategoryIdSchema.safeParse(madeFor).success &&
    ProductIdSchema.safeParse(lastId).success
  if (!wellFormed || madeFor !== category || encodeCursor(madeFor, lastId!) !== cursor)
    throw new Problem(
      'invalid-cursor',
      `The cursor ${JSON.stringify(cursor.slice(0, 200))} does not belong to this listing`,
    )
  return lastId!
}
