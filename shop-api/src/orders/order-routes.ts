import { createRoute, z } from '@hono/zod-openapi'
import type { Sql } from '../database/database.ts'
import { Problem, problemResponses } from '../http/problem.ts'
import { createRouter } from '../http/router.ts'
import { findOrderById, linesOfOrder } from './order-store.ts'
import { OrderIdSchema, OrderSchema, orderView } from './order.ts'

const getOrder = createRoute({
  method: 'get',
  path: '/orders/{orderId}',
  tags: ['orders'],
  summary: 'One order',
  description: 'The id cannot be guessed; whoever has it may see the order.',
  request: { params: z.object({ orderId: OrderIdSchema }) },
  responses: {
    200: { description: 'The order', content: { 'application/json': { schema: OrderSchema } } },
    ...problemResponses('order-not-found', 'validation-failed'),
  },
})

export function orderRoutes(deps: { readonly sql: Sql }) {
  return createRouter().openapi(getOrder, async (c) => {
    const { orderId } = c.req.valid('param')
    const order = await findOrderById(deps.sql, orderId)
    if (!order) throw new Problem('order-not-found', `There is no order ${orderId}`)
    return c.json(orderView(order, await linesOfOrder(deps.sql, order.number)), 200)
  })
}
