import type { MiddlewareHandler } from 'hono'
import type { Logger } from 'pino'
import type { RouteEnv } from './router.ts'

/** What a proxy in front may send; anything else is replaced, so that logs cannot be forged. */
const REQUEST_ID = /^[A-Za-z0-9._-]{8,128}$/

/** Names of this process's requests: random once, counted after that. */
export function requestIds(prefix: string): () => string {
  let count = 0
  return () => `${prefix}-${(++count).toString(36)}`
}

/** Gives every request an id (the client's own where it has one) and writes one line when it is answered. */
export function accessLog(log: Logger, nextId: () => string): MiddlewareHandler<RouteEnv> {
  return async (c, next) => {
    const given = c.req.header('x-request-id')
    const requestId = given !== undefined && REQUEST_ID.test(given) ? given : nextId()
    c.set('requestId', requestId)
    // Set before the answer is made: touching the headers of a finished answer costs as much as making it.
    c.header('x-request-id', requestId)
    if (!log.isLevelEnabled('info')) return next()
    const began = performance.now()
    await next()
    const { method, path } = c.req
    const milliseconds = Math.round((performance.now() - began) * 100) / 100
    log.info({ requestId, method, path, status: c.res.status, milliseconds }, 'request')
  }
}
