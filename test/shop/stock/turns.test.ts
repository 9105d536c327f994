import { expect, test } from 'vitest'
import { MAX_WAITING_FOR_TURN, Turns } from '../../../shop-api/src/stock/turns.ts'

test('turns on one thing follow each other, also after a failure; other things and owners do not wait', async () => {
  const turns = new Turns()
  const [one, other] = [{}, {}]
  const heard: string[] = []
  let open = () => {}
  const gate = new Promise<void>((resolve) => (open = resolve))
  const first = turns.take(one, 'a', async () => {
    await gate
    heard.push('first')
    throw new Error('failed')
  })
  const second = turns.take(one, 'a', async () => heard.push('second'))
  await turns.take(one, 'b', async () => heard.push('another thing'))
  await turns.take(other, 'a', async () => heard.push('another owner'))
  open()
  await expect(first).rejects.toThrow('failed')
  await second
  expect(heard).toEqual(['another thing', 'another owner', 'first', 'second'])
})

test('one who would have to wait behind too many is told so', async () => {
  const turns = new Turns()
  const owner = {}
  let open = () => {}
  const gate = new Promise<void>((resolve) => (open = resolve))
  const all = Array.from({ length: MAX_WAITING_FOR_TURN + 1 }, () => turns.take(owner, 'a', () => gate))
  expect(await turns.take(owner, 'a', () => gate)).toBe('full')
  open()
  await Promise.all(all)
  expect(await turns.take(owner, 'a', async () => 'again')).toBe('again')
})
