import { invalid } from '../protocol/client-error.ts'

export const DEFAULT_PORT = 3000

export interface Address {
  readonly host: string
  readonly port: number
}

export interface Peer {
  readonly id: string
  readonly addresses: readonly Address[]
}

/** `host:port`; the port is 3000 unless told. An IPv6 address with a port stands in brackets. */
export function parseHost(text: string): Address {
  const address = readAddress(text, DEFAULT_PORT)
  if (!address) invalid(`'${text}' is no host:port, such as 127.0.0.1:${DEFAULT_PORT}`)
  return address
}

function readAddress(text: string, defaultPort: number): Address | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3] ?? defaultPort)
  return host === undefined || !(port >= 1 && port <= 65_535) ? undefined : { host, port }
}

/**
 * `generation,default port,[[id,tls name,[host:port,…]],…]`. Hosts without a port have the default one. Source:
 * protocol notes, info 3.
 */
export function parsePeers(answer: string): Peer[] {
  const [, defaultPort] = answer.split(',', 2)
  const peers: Peer[] = []
  for (const [, id, hosts] of answer.matchAll(/\[([0-9A-Fa-f]+),[^,[\]]*,\[((?:\[[^\]]*\]|[^[\]])*)\]\]/g)) {
    const addresses = hosts!
      .split(',')
      .map((host) => readAddress(host, Number(defaultPort) || DEFAULT_PORT))
      .filter((address) => address !== undefined)
    peers.push({ id: id!, addresses })
  }
  return peers
}
