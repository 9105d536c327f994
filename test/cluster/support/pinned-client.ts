import { Client } from '../../../engine/src/client/client.ts'
import { TcpWay } from '../../../engine/src/client/tcp-way.ts'
import type { NodeProcess } from './node-process.ts'

const timeout = 2000

/** A client that asks one node for everything, whoever is master: what it cannot answer it must pass on. */
export function pinnedClient({ host, port }: NodeProcess): Client {
  const way = new TcpWay({ host, port, connectTimeout: timeout, broken: () => undefined })
  return new Client({ wayOf: () => way, anyWay: () => way, close: () => way.close() }, timeout)
}
