/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call --
   The package is optional, so its types may not be there. */
/**
 * Puts and gets until its standard input ends, with the retries of its own policies; then says how it went and what
 * its records are, as a line of JSON. Arguments: ports of nodes.
 */
import { setTimeout as sleep } from 'node:timers/promises'

// A name that the type checker does not follow.
const name: string = 'aerospike'
const { default: Aerospike } = await import(name)

const policy = { maxRetries: 20, sleepBetweenRetries: 50, socketTimeout: 1000, totalTimeout: 5000 }
const client = await Aerospike.connect({
  hosts: process.argv
    .slice(2)
    .map((port) => `127.0.0.1:${port}`)
    .join(','),
  policies: { read: new Aerospike.ReadPolicy(policy), write: new Aerospike.WritePolicy(policy) },
})
const errors: { at: number; text: string }[] = []
const failed = (text: string) => errors.push({ at: Date.now(), text })
const wanted: Record<string, number> = {}
let done = 0
let isOver = false
process.stdin.on('end', () => (isOver = true)).resume()

async function work(worker: number): Promise<void> {
  for (let n = 1; !isOver; n++) {
    const user = `node-${worker}-${n % 10}`
    const key = new Aerospike.Key('shop', 'official', user)
    try {
      await client.put(key, { n })
      wanted[user] = n
      const record = await client.get(key)
      if (record.bins.n === n) done++
      else failed(`${user} is ${record.bins.n}, not ${n}`)
    } catch (error) {
      delete wanted[user]
      failed(String(error))
    }
    await sleep(5)
  }
}

console.log('ready')
await Promise.all([0, 1, 2, 3].map(work))
const found: Record<string, number> = {}
for (const user of Object.keys(wanted))
  found[user] = (await client.get(new Aerospike.Key('shop', 'official', user))).bins.n
const nodes = client.getNodes().map((node: { name: string }) => node.name)
client.close()
console.log(JSON.stringify({ done, errors, nodes, wanted, found }))
