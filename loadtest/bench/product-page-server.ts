/**
 * One process with three faces: the whole store on an engine in this process, the same store on an engine node
 * reached over TCP, and a bare Hono route that sends one product from memory. Arguments: the three ports, the
 * engine's address, and the file that gets the paths of the products, one to a line.
 */
import { writeFileSync } from 'node:fs'
import { connect, startNode } from '@larder/engine'
import { Hono } from 'hono'
import { pino } from 'pino'
import { openDatabase } from '../../shop-api/src/database/database.ts'
import { listen } from '../../shop-api/src/http/http-server.ts'
import { outlineOf } from '../../shop-api/src/import/catalog-outline.ts'
import { generatedCatalog } from '../../shop-api/src/import/generator.ts'
import { importCatalog } from '../../shop-api/src/import/importer.ts'
import { TestPaymentProvider } from '../../shop-api/src/payment/test-provider.ts'
import { connectionOver, type StoreClient } from '../../shop-api/src/start/engine-connection.ts'
import { stockPort } from '../../shop-api/src/stock/stock-service.ts'
import { createStore } from '../../shop-api/src/store.ts'

const SKUS = 10_000
const host = '127.0.0.1'
const [bare, embedded, remote, engine, pathsFile] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
]
const log = pino({ level: 'warn' })
const now = Date.now
const database = await openDatabase()
const source = generatedCatalog(SKUS)
const outline = await outlineOf(source, () => {})

async function serveStore(client: StoreClient, port: string): Promise<void> {
  const connection = connectionOver(client)
  const stock = { ...connection.stock, now, log }
  const { records } = connection
  const target = { records, stock: stockPort(stock), now, defaultStock: 25 }
  await importCatalog(source, outline, target, () => {})
  const store = createStore({
    records,
    stock,
    database,
    payment: new TestPaymentProvider({ sql: database.sql, now }),
    log,
    now,
    operatorToken: 'nobody moves stock in this bench',
    pingEngine: () => connection.ping(),
  })
  await listen(store.app, host, Number(port))
}

const node = await startNode({ port: 0, namespaces: [{ name: 'shop' }, { name: 'stock' }] })
await serveStore(await connect({ node }), embedded)
await serveStore(await connect({ hosts: [engine] }), remote)

const ids: string[] = []
for await (const entry of source.entries(() => {})) if (entry.kind === 'product') ids.push(entry.product.id)
const answers = await Promise.all(ids.map((id) => fetch(`http://${host}:${embedded}/products/${id}`)))
const bodies = await Promise.all(answers.map((answer) => answer.arrayBuffer()))
const sizes = bodies.map((body) => body.byteLength).sort((a, b) => a - b)
const typical = new Uint8Array(bodies.find((body) => body.byteLength === sizes[sizes.length >> 1])!)
writeFileSync(pathsFile, ids.map((id) => `/products/${id}\n`).join(''))

const headers = { 'content-type': 'application/json' }
const route = new Hono().get('/products/:id', (c) => c.body(typical, 200, headers))
await listen(route, host, Number(bare))
