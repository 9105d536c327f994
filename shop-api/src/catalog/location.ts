import { z } from '@hono/zod-openapi'

export const LocationIdSchema = z
  .string()
  .min(1)
  .max(60)
  .regex(/^[a-z0-9]+(?:[-_.][a-z0-9]+)*$/, 'must be lower-case words joined by hyphens')
  .openapi({ example: 'main-warehouse' })

/** A place that holds stock: a warehouse, or a shop that people can walk into. */
export const LocationSchema = z
  .object({
    id: LocationIdSchema,
    name: z.string().trim().min(1).max(200),
    kind: z.enum(['warehouse', 'shop']),
    address: z.string().max(500),
    coordinates: z
      .object({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) })
      .optional(),
    openingHours: z.string().max(500).optional(),
  })
  .openapi('Location')
export type Location = z.infer<typeof LocationSchema>
