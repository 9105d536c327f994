import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { html } from 'hono/html'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { problemTable, type ProblemCode } from './problem-table.ts'
import { Problem } from './problem.ts'
import { createRouter, type RouteEnv } from './router.ts'

const swaggerFolder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))

/** The only files of the package that the page loads. */
const swaggerFiles: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
}

const starter = `window.onload = () => SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true })`

const info = {
  title: 'Larder store',
  version: '0.1.0',
  description:
    'Catalogue, carts that hold stock, checkout and orders. Money is in integer minor units; every error is an ' +
    'application/problem+json body (RFC 9457) whose `code` is stable, listed at [/problems](/problems).',
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
}

/** In the order in which the page shows them. */
const tags = ['catalogue', 'carts', 'checkout', 'orders', 'stock', 'operations'].map((name) => ({ name }))

/** `/openapi.json`, the page `/docs` that shows it, and `/problems`. `app` is the application that is described. */
export function documentationRoutes(app: OpenAPIHono<RouteEnv>) {
  const router = createRouter()
  let described: unknown
  router.get('/openapi.json', (c) =>
    c.json((described ??= app.getOpenAPI31Document({ openapi: '3.1.0', info, tags }))),
  )
  router.get('/docs', (c) =>
    c.html(
      html`<!doctype html>
        <html lang="en">
          <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <title>Larder store: API documentation</title>
            <link rel="stylesheet" href="/docs/swagger-ui.css" />
          </head>
          <body>
            <div id="api"></div>
            <script src="/docs/swagger-ui-bundle.js"></script>
            <script src="/docs/start.js"></script>
          </body>
        </html>`,
    ),
  )
  router.get('/docs/:file', async (c) => {
    const file = c.req.param('file')
    if (file === 'start.js') return c.body(starter, 200, { 'content-type': 'text/javascript; charset=utf-8' })
    const type = Object.hasOwn(swaggerFiles, file) ? swaggerFiles[file] : undefined
    if (!type) throw new Problem('route-not-found', `Nothing answers GET ${c.req.path}`)
    return c.body(await readFile(join(swaggerFolder, file)), 200, {
      'content-type': type,
      'cache-control': 'public, max-age=3600',
    })
  })
  router.get('/problems', (c) => c.json(problemTable))
  router.get('/problems/:code', (c) => {
    const code = c.req.param('code')
    if (!Object.hasOwn(problemTable, code))
      throw new Problem('route-not-found', `There is no problem ${code}`)
    return c.json({ code, ...problemTable[code as ProblemCode] })
  })
  return router
}
