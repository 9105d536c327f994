import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from '@hono/zod-openapi'
import { problemTable, type ProblemCode } from './problem-table.ts'

/** An error body as RFC 9457 has it, with `code` as the stable name of the problem. */
export const ProblemSchema = z
  .object({
    type: z.string().openapi({ example: '/problems/sold-out' }),
    title: z.string(),
    status: z.int(),
    code: z.string().openapi({ example: 'sold-out' }),
    detail: z.string(),
    instance: z.string().openapi({ description: 'Path of the request' }),
    requestId: z.string(),
    errors: z
      .array(z.object({ pointer: z.string(), detail: z.string() }))
      .optional()
      .openapi({ description: 'One entry for each field that is wrong' }),
  })
  .loose()
  .openapi('Problem')

export interface ProblemExtra {
  readonly headers?: Readonly<Record<string, string>>
  /** Members that only this problem has, such as `available` of sold-out. */
  readonly members?: Readonly<Record<string, unknown>>
}

/** Throw it anywhere below a route: the application turns it into a problem+json answer. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly extra: ProblemExtra

  constructor(code: ProblemCode, detail: string, extra: ProblemExtra = {}) {
    super(detail)
    this.name = 'Problem'
    this.code = code
    this.extra = extra
  }
}

/** The answer for one problem. Expected outcomes may return it; it is what a thrown Problem becomes. */
export function problemResponse(c: Context, code: ProblemCode, detail: string, extra: ProblemExtra = {}) {
  const { status, title } = problemTable[code]
  const body = {
    type: `/problems/${code}`,
    title,
    status,
    code,
    detail,
    instance: c.req.path,
    requestId: (c.get('requestId') as string | undefined) ?? '',
    ...extra.members,
  }
  return c.body(JSON.stringify(body), status as ContentfulStatusCode, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...extra.headers,
  })
}

/** The `responses` entries of an OpenAPI route for the problems it can answer. */
export function problemResponses(...codes: ProblemCode[]) {
  const byStatus = new Map<number, ProblemCode[]>()
  for (const code of codes) {
    const { status } = problemTable[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [
      status,
      {
        description: list.map((code) => `\`${code}\`: ${problemTable[code].title}`).join('; '),
        content: { 'application/problem+json': { schema: ProblemSchema } },
      },
    ]),
  )
}
