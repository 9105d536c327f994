import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'

interface Fetcher {
  fetch(request: Request, ...rest: unknown[]): Response | Promise<Response>
}

export interface HttpServer {
  readonly url: string
  /** Takes no more connections, lets requests under way end, then cuts what is left. */
  close(): Promise<void>
}

/** How long requests under way may take to end when the server closes. */
const GRACE_MS = 5000

/** @throws the socket's error, such as EADDRINUSE, when it cannot listen */
export async function listen(app: Fetcher, host: string, port: number): Promise<HttpServer> {
  const listener = getRequestListener(app.fetch.bind(app))
  const server = createServer(
    { keepAliveTimeout: 65_000, headersTimeout: 20_000, requestTimeout: 30_000, maxHeaderSize: 16_384 },
    (request, response) => void listener(request, response),
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { port: actual } = server.address() as AddressInfo
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return { url: `http://${name}:${actual}`, close: () => closeServer(server) }
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const cut = setTimeout(() => server.closeAllConnections(), GRACE_MS)
  await closed
  clearTimeout(cut)
}
