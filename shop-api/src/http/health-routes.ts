import { createRoute, z } from '@hono/zod-openapi'
import { createRouter } from './router.ts'

export type ReadinessCheck = () => Promise<void>

/** A part that has not answered after this time counts as down. */
const CHECK_MS = 2000

const HealthSchema = z.object({ status: z.literal('ok') }).openapi('Health')
const ReadinessSchema = z
  .object({ status: z.enum(['ready', 'not-ready']), checks: z.record(z.string(), z.string()) })
  .openapi('Readiness')

const json = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
})

const healthRoute = createRoute({
  method: 'get',
  path: '/health',
  tags: ['operations'],
  summary: 'Is the process alive?',
  responses: { 200: json(HealthSchema, 'It is') },
})

const readyRoute = createRoute({
  method: 'get',
  path: '/ready',
  tags: ['operations'],
  summary: 'Can it serve? Asks each part it needs',
  responses: { 200: json(ReadinessSchema, 'All parts answer'), 503: json(ReadinessSchema, 'A part is down') },
})

async function resultOf(check: ReadinessCheck): Promise<string> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${CHECK_MS} ms`), CHECK_MS)
  })
  try {
    return await Promise.race([check().then(() => 'ok'), late])
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    clearTimeout(timer)
  }
}

export function healthRoutes(checks: Readonly<Record<string, ReadinessCheck>>) {
  const router = createRouter()
  router.openapi(healthRoute, (c) => c.json({ status: 'ok' as const }, 200))
  router.openapi(readyRoute, async (c) => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await resultOf(check)] as const),
    )
    const ready = results.every(([, result]) => result === 'ok')
    const body = {
      status: ready ? ('ready' as const) : ('not-ready' as const),
      checks: Object.fromEntries(results),
    }
    return c.json(body, ready ? 200 : 503)
  })
  return router
}
