import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase } from '../../../shop-api/src/database/database.ts'
import { orders } from '../../../shop-api/src/database/schema.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'larder-pglite-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

test('a second process is told who has the folder; a lock left behind by a kill is taken over', async () => {
  const data = join(folder, 'orders')
  const database = await openDatabase({ folder: data })
  await expect(openDatabase({ folder: data })).rejects.toThrow(`is in use by process ${process.pid}`)
  await database.close()
  writeFileSync(`${data}.lock`, JSON.stringify({ pid: process.pid, started: 'long ago' }))
  await (await openDatabase({ folder: data })).close()
})

test('a first initialisation that was cut short is started anew', async () => {
  const data = join(folder, 'orders')
  mkdirSync(`${data}.unfinished`)
  writeFileSync(join(`${data}.unfinished`, 'PG_VERSION'), '17')
  const database = await openDatabase({ folder: data })
  expect(await database.sql.select().from(orders)).toEqual([])
  await database.close()
})

test('its SQL does not hold up the thread that answers requests', async () => {
  const database = await openDatabase()
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 5)
  const began = performance.now()
  await database.sql.execute('select count(*) from generate_series(1, 2000000)')
  const took = performance.now() - began
  clearInterval(timer)
  await database.close()
  expect(longest).toBeLessThan(took / 2)
})
