import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { Hono, type Context, type ErrorHandler } from 'hono'
import type { Logger } from 'pino'
import { hasReason } from '../records.ts'
import { accessLog, direct, type DirectHandler } from './access-log.ts'
import { documentationRoutes } from './documentation.ts'
import { healthRoutes, type ReadinessCheck } from './health-routes.ts'
import type { ProblemCode } from './problem-table.ts'
import { Problem, problemResponse, type ProblemExtra } from './problem.ts'
import { createRouter, type RouteEnv } from './router.ts'

/** No request of the store needs more: a cart line is 60 bytes, an address a few hundred. */
export const BODY_MAX_BYTES = 64 * 1024

export interface AppOptions {
  readonly log: Logger
  readonly nextRequestId: () => string
  /** Named checks of /ready: each throws when its part cannot be reached. */
  readonly checks: Readonly<Record<string, ReadinessCheck>>
  /** Route modules: the catalogue's, the carts', stock, checkout, orders, the storefront. */
  readonly routes: readonly OpenAPIHono<RouteEnv>[]
  /** By path: what answers a GET before any middleware sees it. For the store's hottest route alone. */
  readonly direct?: Readonly<Record<string, DirectHandler>>
  /** A page in place of the JSON of a problem, where a person is likely to read it. */
  readonly problemPage?: (c: Context<RouteEnv>, code: ProblemCode) => Promise<Response | undefined>
}

/** The whole HTTP application. Needs no socket: `app.request('/products')` answers too. */
export function createApp(options: AppOptions): OpenAPIHono<RouteEnv> {
  const app = createRouter()
  app.use(accessLog(options.log, options.nextRequestId))
  app.on(
    ['POST', 'PUT', 'PATCH', 'DELETE'],
    '*',
    bodyLimit({
      maxSize: BODY_MAX_BYTES,
      onError: (c) => problemResponse(c, 'body-too-large', `At most ${BODY_MAX_BYTES} bytes`),
    }),
  )
  app.route('/', healthRoutes(options.checks))
  for (const routes of options.routes) app.route('/', routes)
  app.route('/', documentationRoutes(app))

  const told = async (c: Context<RouteEnv>, code: ProblemCode, detail: string, extra?: ProblemExtra) =>
    (await options.problemPage?.(c, code)) ?? problemResponse(c, code, detail, extra)
  app.notFound((c) => told(c, 'route-not-found', `Nothing answers ${c.req.method} ${c.req.path}`))
  const failed: ErrorHandler<RouteEnv> = (error, c) => {
    const requestId = c.get('requestId')
    c.header('x-request-id', requestId)
    if (error instanceof Problem) return problemResponse(c, error.code, error.message, error.extra)
    if (error instanceof HTTPException) {
      if (error.status === 415) return problemResponse(c, 'unsupported-media-type', error.message)
      if (error.status < 500) return problemResponse(c, 'malformed-json', error.message)
    }
    if (
      hasReason(error, 'TIMEOUT', 'PARTITION_UNAVAILABLE', 'DEVICE_OVERLOAD', 'NO_CONNECTION', 'KEY_BUSY')
    ) {
      options.log.warn({ requestId, error }, 'the engine did not answer')
      return told(c, 'unavailable', 'The engine did not answer; try again', {
        headers: { 'retry-after': '1' },
      })
    }
    options.log.error({ requestId, err: error }, 'request failed')
    return told(c, 'internal-error', `Quote request ${requestId} when you report this`)
  }
  app.onError(failed)
  if (options.direct) app.fetch = directFirst(app.fetch, options.direct, { ...options, failed })
  return app
}

type Fetch = OpenAPIHono<RouteEnv>['fetch']

/**
 * Routes of an application of their own, in front of all the others, which gets what none of them answers. Where one
 * handler alone matches a path Hono runs it without promises, and an answer that is no promise is the cheapest.
 */
function directFirst(
  others: Fetch,
  handlers: Readonly<Record<string, DirectHandler>>,
  {
    log,
    nextRequestId,
    failed,
  }: Pick<AppOptions, 'log' | 'nextRequestId'> & { failed: ErrorHandler<RouteEnv> },
): Fetch {
  const front = new Hono<RouteEnv>()
  for (const [path, handler] of Object.entries(handlers)) front.get(path, direct(log, nextRequestId, handler))
  front.onError(failed)
  front.notFound((c) => others(c.req.raw, c.env))
  return front.fetch
}
