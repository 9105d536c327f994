import { createHash, timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { Problem } from './problem.ts'
import type { RouteEnv } from './router.ts'

/** What the OpenAPI document calls the operator's token. */
export const operatorSecurity = [{ operator: [] }]

const digest = (text: string) => createHash('sha256').update(text).digest()

/**
 * Lets only the operator through: `Authorization: Bearer TOKEN` (RFC 6750). Without a token 401, with a wrong one
 * 403.
 */
export function requireOperator(token: string): MiddlewareHandler<RouteEnv> {
  const right = digest(token)
  return async (c, next) => {
    const given = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
    if (given === undefined)
      throw new Problem('operator-token-required', 'Send Authorization: Bearer and the operator’s token', {
        headers: { 'www-authenticate': 'Bearer realm="stock"' },
      })
    // Digests are of one length, and comparing them tells nothing of the token by its time.
    if (!timingSafeEqual(digest(given), right))
      throw new Problem('operator-token-wrong', 'This is not the operator’s token of this store')
    await next()
  }
}
