import { createRoute, z } from '@hono/zod-openapi'
import { LocationIdSchema } from '../catalog/location.ts'
import { SkuSchema } from '../catalog/product.ts'
import { Problem, problemResponses } from '../http/problem.ts'
import { operatorSecurity, requireOperator } from '../http/operator.ts'
import { createRouter } from '../http/router.ts'
import type { StockDeps } from './hold-service.ts'
import { keysOf } from './stock-layout.ts'
import { stockBreaches } from './stock-law.ts'
import { carryOut, type StockOrderOutcome } from './back-office.ts'

const MAX_UNITS = 1_000_000
const MovementIdSchema = z.string().regex(/^[\x21-\x7e]{1,64}$/, 'must be 1 to 64 visible ASCII characters')
const UnitsSchema = z.int().min(1).max(MAX_UNITS)

const StockLevelSchema = z
  .object({
    sku: SkuSchema,
    locations: z.array(
      z.object({
        location: LocationIdSchema,
        split: z.int(),
        available: z.int(),
        held: z.int(),
        onHand: z.int(),
        sold: z.int(),
        breaches: z.array(z.string()).openapi({ description: 'Empty as long as the record adds up' }),
      }),
    ),
  })
  .openapi('StockLevel')

const level = createRoute({
  method: 'get',
  path: '/stock/{sku}',
  tags: ['stock'],
  summary: 'What is there of a SKU, by location',
  request: { params: z.object({ sku: SkuSchema }) },
  responses: {
    200: { description: 'The stock records', content: { 'application/json': { schema: StockLevelSchema } } },
    ...problemResponses('sku-not-found', 'validation-failed'),
  },
})

const MovementSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('receive'),
      id: MovementIdSchema,
      location: LocationIdSchema,
      quantity: UnitsSchema,
    }),
    z.strictObject({
      kind: z.literal('adjust'),
      id: MovementIdSchema,
      location: LocationIdSchema,
      quantity: z.int().min(-MAX_UNITS).max(MAX_UNITS),
    }),
    z.strictObject({
      kind: z.literal('transfer'),
      id: MovementIdSchema,
      location: LocationIdSchema,
      to: LocationIdSchema,
      quantity: UnitsSchema,
    }),
  ])
  .refine((order) => order.kind !== 'transfer' || order.to !== order.location, {
    path: ['to'],
    error: 'must be another location than the one the units leave',
  })
  .openapi('StockMovement')

const move = createRoute({
  method: 'post',
  security: operatorSecurity,
  path: '/stock/{sku}/movements',
  tags: ['stock'],
  summary: 'Receives, adjusts or transfers units; for the operator',
  description: 'The id makes a repetition harmless for a day.',
  request: {
    params: z.object({ sku: SkuSchema }),
    body: { content: { 'application/json': { schema: MovementSchema } }, required: true },
  },
  responses: {
    204: { description: 'Done, by this request or by an earlier one with this id' },
    ...problemResponses(
      'operator-token-required',
      'operator-token-wrong',
      'location-not-found',
      'sold-out',
      'movement-id-reused',
      'stock-unsettled',
      'validation-failed',
    ),
  },
})

function refuse(outcome: StockOrderOutcome, sku: string): void {
  if (outcome.kind === 'too-few')
    throw new Problem('sold-out', `${outcome.available} units of ${sku} are available there`, {
      members: { available: outcome.available },
    })
  if (outcome.kind === 'no-location')
    throw new Problem('location-not-found', `There is no stock of ${sku} at ${outcome.location}`)
  if (outcome.kind === 'other-movement')
    throw new Problem('movement-id-reused', 'Use a new id for another movement')
  if (outcome.kind === 'no-stock-record') throw new Problem('location-not-found', `No stock of ${sku} there`)
  if (outcome.kind === 'unsettled')
    throw new Problem('stock-unsettled', 'Send it again with the same id', {
      headers: { 'retry-after': '1' },
    })
}

/** Everybody may see the stock; who moves it needs the operator's token. */
export function stockRoutes(deps: StockDeps, operatorToken: string) {
  const router = createRouter()
  router.openAPIRegistry.registerComponent('securitySchemes', 'operator', { type: 'http', scheme: 'bearer' })
  router.use('/stock/:sku/movements', requireOperator(operatorToken))
  return router
    .openapi(level, async (c) => {
      const { sku } = c.req.valid('param')
      const layout = await deps.layouts.find(sku)
      if (!layout) throw new Problem('sku-not-found', `There is no stock of ${sku}`)
      const locations = []
      for (const key of keysOf(sku, layout)) {
        const record = await deps.records.readWhole(key)
        if (!record) continue
        const { available, held, onHand, sold } = record.numbers
        const { location, split } = key
        locations.push({ location, split, available, held, onHand, sold, breaches: stockBreaches(record) })
      }
      return c.json({ sku, locations }, 200)
    })
    .openapi(move, async (c) => {
      const { sku } = c.req.valid('param')
      refuse(await carryOut(deps, sku, c.req.valid('json')), sku)
      return c.body(null, 204)
    })
}
