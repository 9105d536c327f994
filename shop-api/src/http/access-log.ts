import type { Context, Handler, MiddlewareHandler } from 'hono'
import type { Logger } from 'pino'
import type { RouteEnv } from './router.ts'

/** What a proxy in front may send; anything else is replaced, so that logs cannot be forged. */
const REQUEST_ID = /^[A-Za-z0-9._-]{8,128}$/

/** Names of this process's requests: random once, counted after that. */
export function requestIds(prefix: string): () => string {
  let count = 0
  return () => `${prefix}-${(++count).toString(36)}`
}

/** From node's own request where there is one: a Headers object would cost more than the rest of a simple answer. */
function givenId(c: Context<RouteEnv>): string | undefined {
  const incoming = c.env?.incoming
  if (!incoming) return c.req.header('x-request-id')
  const given = incoming.headers['x-request-id']
  return typeof given === 'string' ? given : undefined
}

function identify(c: Context<RouteEnv>, nextId: () => string): string {
  const given = givenId(c)
  const requestId = given !== undefined && REQUEST_ID.test(given) ? given : nextId()
  c.set('requestId', requestId)
  return requestId
}

/** Writes the line; without a status where the answer is still to be made of what was thrown. */
async function logged(c: Context<RouteEnv>, log: Logger, answer: () => Promise<number>): Promise<void> {
  const began = performance.now()
  let status: number | undefined
  try {
    status = await answer()
  } finally {
    const { method, path } = c.req
    const milliseconds = Math.round((performance.now() - began) * 100) / 100
    log.info({ requestId: c.get('requestId'), method, path, status, milliseconds }, 'request')
  }
}

/** Gives every request an id (the client's own where it has one) and writes one line when it is answered. */
export function accessLog(log: Logger, nextId: () => string): MiddlewareHandler<RouteEnv> {
  return async (c, next) => {
    // Set before the answer is made: touching the headers of a finished answer costs as much as making it.
    c.header('x-request-id', identify(c, nextId))
    if (!log.isLevelEnabled('info')) return next()
    await logged(c, log, async () => {
      await next()
      return c.res.status
    })
  }
}

export type DirectHandler = (c: Context<RouteEnv>, requestId: string) => Response | Promise<Response>

/**
 * The same for a handler that stands before all middleware, and puts the id among the headers of its answer itself:
 * an answer whose headers are all known when it is made costs a third less.
 */
export function direct(log: Logger, nextId: () => string, handler: DirectHandler): Handler<RouteEnv> {
  const loud = async (c: Context<RouteEnv>, requestId: string) => {
    let response: Response | undefined
    await logged(c, log, async () => (response = await handler(c, requestId)).status)
    return response!
  }
  return (c) => (log.isLevelEnabled('info') ? loud : handler)(c, identify(c, nextId))
}
