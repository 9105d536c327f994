import { networkInterfaces } from 'node:os'

const WILDCARDS = ['0.0.0.0', '::', '']

/** Where clients reach a node that listens on this address, `host:port`; of all addresses those that others can use. */
export function serviceAddresses(host: string, port: number): string[] {
  return hostsOf(host).map((name) => `${name.includes(':') ? `[${name}]` : name}:${port}`)
}

function hostsOf(host: string): string[] {
  if (!WILDCARDS.includes(host)) return [host]
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address)
  return outside.length > 0 ? outside : ['127.0.0.1']
}
