import { join } from 'node:path'
import { freePort, has, load, type Measured, ServerProcess, temporaryFolder } from './processes.ts'
import { fixed, median, percent, printTable, ratio, thousands } from './table.ts'

const rounds = 7
const connections = 50
const roundSeconds = 2

/**
 * `GET /products/:id` of the whole store against a bare Hono route in the same process that sends a product of
 * median size from memory. The rounds take turns; medians are shown. On a machine that is busy with other things the
 * CPU that a request costs says more than the rate.
 */
export async function productPage(): Promise<void> {
  if (!has('go')) return
  const engine = await ServerProcess.larder(['--namespace', 'shop', '--namespace', 'stock'])
  const paths = join(temporaryFolder('product-page'), 'paths')
  const ports = { bare: await freePort(), embedded: await freePort(), remote: await freePort() }
  const script = join(import.meta.dirname, 'product-page-server.ts')
  const args = [script, ...Object.values(ports).map(String), `127.0.0.1:${engine.port}`, paths]
  // The bare route opens its port last.
  const server = await ServerProcess.start(process.execPath, args, ports.bare)
  try {
    const runs: Record<keyof typeof ports, Measured[]> = { bare: [], embedded: [], remote: [] }
    const faces = ['bare', 'embedded', 'remote'] as const
    for (let round = -1; round < rounds; round++)
      for (const face of faces) {
        const flags = { protocol: 'http', paths, connections, port: ports[face], seconds: roundSeconds }
        const run = await load(server, flags)
        if (round >= 0) runs[face].push(run)
      }
    const of = (face: keyof typeof ports, field: keyof Measured) =>
      median(runs[face].map((run) => run[field]))
    const names = {
      bare: 'bare Hono route',
      embedded: 'store, engine in the process',
      remote: 'store, engine over TCP',
    }
    printTable(
      [
        'GET /products/:id',
        'requests/s',
        'vs bare',
        'CPU µs',
        'bare/this',
        'p50 µs',
        'p99 µs',
        'server busy',
        'generator busy',
      ],
      faces.map((face) => [
        names[face],
        thousands(of(face, 'perSecond')),
        ratio(of(face, 'perSecond') / of('bare', 'perSecond')),
        fixed(of(face, 'serverMicros')),
        ratio(of('bare', 'serverMicros') / of(face, 'serverMicros')),
        fixed(of(face, 'p50Micros')),
        fixed(of(face, 'p99Micros')),
        percent(of(face, 'serverBusy')),
        percent(of(face, 'generatorBusy')),
      ]),
    )
  } finally {
    await server.stop()
    await engine.stop()
  }
}
