import type { HttpBindings } from '@hono/node-server'
import { OpenAPIHono } from '@hono/zod-openapi'
import type { z } from 'zod'
import { problemResponse } from './problem.ts'

/** What the application hands to every route through the context. */
export interface RouteEnv {
  /** Node's own request; undefined where the application is called without a socket. */
  Bindings: Partial<HttpBindings> | undefined
  Variables: { requestId: string }
}

type Target = 'json' | 'form' | 'query' | 'param' | 'header' | 'cookie'

/** `/lines/0/quantity` for a body, `#query/limit` for other parts of the request. */
function pointerOf(target: Target, path: readonly PropertyKey[]): string {
  const rest = path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1')).join('/')
  return target === 'json' || target === 'form' ? `/${rest}` : `#${target}/${rest}`
}

function validationErrors(target: Target, error: z.ZodError) {
  return error.issues.map((issue) => ({ pointer: pointerOf(target, issue.path), detail: issue.message }))
}

/** A router for `openapi(route, handler)`, whose failed validations answer as problem+json. */
export function createRouter(): OpenAPIHono<RouteEnv> {
  return new OpenAPIHono<RouteEnv>({
    defaultHook: (result, c) => {
      if (result.success) return
      const errors = validationErrors(result.target, result.error)
      const first = errors[0]
      const detail = first ? `${first.pointer}: ${first.detail}` : 'The request is not valid'
      return problemResponse(c, 'validation-failed', detail, { members: { errors } })
    },
  })
}
