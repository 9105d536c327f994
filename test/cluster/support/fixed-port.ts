import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

/** Where the kernel's own choices begin as a rule; below it nobody takes a port by chance. */
const usualRange = '32768 60999'
const lowest = 10_000
const attempts = 200

/**
 * A free port of the loopback that stays the node's while it is down: below the range from which the kernel takes the
 * local ends of connections, or one of those could sit on it when the node comes back.
 */
export async function fixedPort(): Promise<number> {
  const highest = Number(ephemeralRange().split(/\s/)[0])
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest))
    if (await isFree(port)) return port
  }
  throw new Error(`no free port from ${lowest} to ${highest} after ${attempts} attempts`)
}

function ephemeralRange(): string {
  try {
    return readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim()
  } catch {
    return usualRange
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
