/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return --
   The package is optional, so its types may not be there. */
/** Walks one server through what the Node.js client does most; prints "ok" and ends with 0, or fails. */
import assert from 'node:assert/strict'

// A name that the type checker does not follow.
const name: string = 'aerospike'
const { default: Aerospike } = await import(name)
const { lists, maps, operations } = Aerospike

interface Row {
  status: number
  record: { bins: Record<string, unknown> }
}

async function walk() {
  // The first example that newcomers see.
  const key = new Aerospike.Key('test', 'products', 'node-1')
  await client.put(key, { name: 'Laptop', price: 999.99, quantity: 100 })
  const record = await client.get(key)
  assert.deepEqual(record.bins, { name: 'Laptop', price: 999.99, quantity: 100 })
  assert.equal(record.gen, 1)
  await client.put(key, { quantity: 99 })
  const updated = await client.select(key, ['quantity'])
  assert.deepEqual(updated.bins, { quantity: 99 })
  assert.equal(updated.gen, 2)
  await client.remove(key)
  assert.equal(await client.exists(key), false)
  await assert.rejects(client.get(key), { code: Aerospike.status.ERR_RECORD_NOT_FOUND })
}

async function operate() {
  const key = new Aerospike.Key('test', 'interop', 'node-operate')
  const { bins } = await client.operate(key, [
    operations.write('n', 5),
    operations.incr('n', 2),
    operations.read('n'),
    lists.appendItems('list', [1, 'two', 3.5, true]),
    lists.getByIndex('list', -2, lists.returnType.VALUE),
    maps.putItems('map', { a: 1, b: { deep: [1, 2] } }),
    maps.getByKey('map', 'b', maps.returnType.VALUE),
  ])
  assert.equal(bins.n, 7)
  const record = await client.get(key)
  assert.deepEqual(record.bins.list, [1, 'two', 3.5, true])
  assert.deepEqual(record.bins.map, { a: 1, b: { deep: [1, 2] } })
}

async function batch() {
  const keys = Array.from({ length: 50 }, (_, i) => new Aerospike.Key('test', 'interop', i))
  const type = Aerospike.batchType
  await client.batchWrite(
    keys.map((key, i) => ({ type: type.BATCH_WRITE, key, ops: [operations.write('i', i)] })),
  )
  const none = new Aerospike.Key('test', 'interop', 'none')
  const rows = await client.batchRead([...keys, none].map((key) => ({ key, readAllBins: true })))
  assert.deepEqual(
    rows.slice(0, 50).map((row: Row) => row.record.bins.i),
    keys.map((_, i) => i),
  )
  assert.equal(rows[50].status, Aerospike.status.ERR_RECORD_NOT_FOUND)
  await client.batchRemove(keys)
  const exist = await client.batchExists(keys)
  assert.ok(exist.every((row: Row) => row.status === Aerospike.status.ERR_RECORD_NOT_FOUND))
}

const client = await Aerospike.connect({ hosts: `127.0.0.1:${process.argv[2]}` })
await walk()
await operate()
await batch()
client.close()
console.log('ok')
