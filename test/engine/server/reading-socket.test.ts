import { once } from 'node:events'
import { createServer, Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { SocketReader } from '../../../engine/src/server/reading-socket.ts'

const closing: (() => void)[] = []

afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** An accepted socket, with its handle or as if it had none, and the client's end. */
async function pair(hidesHandle: boolean): Promise<{ accepted: Socket; client: Socket }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  const accepting = once(server, 'connection')
  await once(server, 'listening')
  const address = server.address()
  const client = new Socket().connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1')
  const [socket] = (await accepting) as [Socket]
  closing.push(() => client.destroy() && server.close())
  const get = (target: Socket, key: string | symbol): unknown => {
    const value: unknown = key === '_handle' ? undefined : Reflect.get(target, key, target)
    return typeof value === 'function' ? (value.bind(target) as unknown) : value
  }
  return { accepted: hidesHandle ? new Proxy(socket, { get }) : socket, client }
}

it.each([
  ['its handle is taken', false],
  ['it has none to take, as a stream whose buffers may be kept', true],
])('a socket is read and written: %s', async (_how, hidesHandle) => {
  const { accepted, client } = await pair(hidesHandle)
  const taken: string[] = []
  const kept = new Set<boolean>()
  const socket = new SocketReader().open(accepted, (buffer, length, mayKeep) => {
    taken.push(buffer.toString('latin1', 0, length))
    kept.add(mayKeep)
    socket.write('back')
  })
  client.write('there')
  const [answer] = (await once(client, 'data')) as [Buffer]
  expect(answer.toString()).toBe('back')
  expect(taken.join('')).toBe('there')
  expect([...kept]).toEqual([hidesHandle])
  const ended = once(socket, 'close')
  client.end()
  await ended
})
