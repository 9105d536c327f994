import { connect, createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packParcel } from '../../../engine/src/server/mesh/parcel.ts'
import { eventually } from '../../support/eventually.ts'
import { fixedPort } from '../support/fixed-port.ts'
import { MeshRelays } from '../support/mesh-relay.ts'

let relays: MeshRelays
let target: Server | undefined
let ports: { port: number; target: number }
let received: string
const sockets = new Set<Socket>()

beforeEach(async () => {
  relays = new MeshRelays()
  ports = { port: await fixedPort(), target: await fixedPort() }
  received = ''
  await listen()
  relays.open({ id: 'B', ...ports })
  await eventually(reaches, { what: 'the relay to listen', ms: 2000 })
})

afterEach(() => {
  relays.close()
  for (const socket of sockets) socket.destroy()
  target?.close()
})

function listen(): Promise<void> {
  target = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => (received += chunk.toString('latin1')))
  })
  return new Promise((resolve) => target!.listen(ports.target, '127.0.0.1', resolve))
}

async function reaches(): Promise<boolean> {
  const socket = connect(ports.port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** A connection of node `id`, as its mesh begins one. */
async function dial(id: string): Promise<Socket> {
  const socket = connect(ports.port, '127.0.0.1')
  sockets.add(socket)
  socket.on('error', () => socket.destroy())
  await once(socket, 'connect')
  const from = { id, incarnation: '', start: '' }
  socket.write(packParcel({ kind: 'hello', cluster: 'c', from, address: '127.0.0.1:1', known: [] }))
  return socket
}

const arrives = (text: string) =>
  eventually(() => received.includes(text), { what: `${text} to arrive`, ms: 2000 })

describe('a relay between two nodes', () => {
  it('holds one link and not another, and lets go what it held', async () => {
    relays.set('A', 'B', { isHeld: true })
    const [a, c] = [await dial('A'), await dial('C')]
    a.write('from-a')
    c.write('from-c')
    await arrives('from-c')
    await sleep(100)
    expect(received).not.toContain('from-a')
    relays.heal()
    await arrives('from-a')
    expect(relays.passed('A', 'B')).toBeGreaterThan(6)
  })

  it('holds what is sent although its sender ends', async () => {
    relays.set('A', 'B', { isHeld: true })
    const a = await dial('A')
    a.end('the last words')
    await sleep(100)
    expect(received).toBe('')
    relays.heal()
    await arrives('the last words')
  })

  it('delays, and keeps the order', async () => {
    const a = await dial('A')
    relays.set('A', 'B', { delayMs: 150 })
    const began = performance.now()
    a.write('one')
    await sleep(20)
    a.write('two')
    await arrives('onetwo')
    expect(performance.now() - began).toBeGreaterThanOrEqual(165)
  })

  it('lets through so many bytes a second', async () => {
    const a = await dial('A')
    relays.set('A', 'B', { bytesPerSecond: 1_000_000 })
    const began = performance.now()
    a.write('x'.repeat(300_000))
    a.write('end')
    await arrives('end')
    expect(performance.now() - began).toBeGreaterThan(200)
  })

  it('is refused while its node is, and opens again with it', async () => {
    const a = await dial('A')
    const broken = once(a, 'close')
    target!.close()
    for (const socket of sockets) if (socket !== a) socket.destroy()
    await broken
    expect(await reaches()).toBe(false)
    await listen()
    await eventually(reaches, { what: 'the relay to listen again', ms: 2000 })
  })
})
