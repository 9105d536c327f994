import { afterEach, describe, expect, it } from 'vitest'
import { Listener } from '../../../engine/src/server/listener.ts'
import { StartError } from '../../../engine/src/server/start-error.ts'
import type { TestServer } from './echo-server.ts'
import { serve } from './echo-server.ts'
import { frame, Wire } from './wire.ts'

let server: TestServer
const wires: Wire[] = []

afterEach(async () => {
  for (const wire of wires.splice(0)) wire.close()
  await server.close()
})

async function open(): Promise<Wire> {
  const wire = await Wire.open(server.port)
  wires.push(wire)
  return wire
}

const hello = frame(3, 'hello')

describe('the number of connections', () => {
  it('is limited: one more is closed as it comes, and may come when another has gone', async () => {
    server = await serve((body) => ({ bytes: frame(3, body) }), { maxConnections: 2 })
    const [first, second] = [await open(), await open()]
    for (const wire of [first, second]) {
      wire.send(hello)
      expect(await wire.frames(1)).toEqual([hello])
    }
    const third = await open()
    expect(await third.until(() => third.closed)).toBe(true)
    first.close()
    await second.until(() => server.listener.connections === 1)
    const fourth = await open()
    fourth.send(hello)
    expect(await fourth.frames(1)).toEqual([hello])
  })
})

describe('a port in use', () => {
  it('is one clear line that says what to do', async () => {
    server = await serve((body) => ({ bytes: body }))
    const second = new Listener(server.service)
    await expect(second.listen('127.0.0.1', server.port)).rejects.toThrow(StartError)
    await expect(new Listener(server.service).listen('127.0.0.1', server.port)).rejects.toThrow(
      `Port 127.0.0.1:${server.port} is in use by another program; stop it or choose another port with --port (0 takes any free one)`,
    )
  })
})

describe('closing', () => {
  it('lets answers that wait for the disk leave first', async () => {
    server = await serve((body) => ({ bytes: frame(3, body), ticket: 1 }))
    const wire = await open()
    wire.send(hello)
    await wire.until(
      () => server.listener.connections === 1 && server.service.node.counters.connectionsOpened === 1,
    )
    await new Promise((resolve) => setTimeout(resolve, 50))
    const closed = server.close()
    setTimeout(() => server.syncs.sync(1), 100)
    expect(await wire.frames(1)).toEqual([hello])
    await closed
    expect(await wire.until(() => wire.closed)).toBe(true)
  })
})
