import { parseArgs } from 'node:util'
import { connect } from '../client/client.ts'
import type { Command } from './command.ts'
import { parseKey } from './record-key.ts'

export const getCommand: Command = {
  help: `larder get NAMESPACE[.SET] KEY [--node host:port] [--bins a,b] [--text-key]

Prints the record as JSON; exit status 1 when there is none. A key of digits is an integer; --text-key makes it text.

Examples:
  larder get test.products 1
  larder get test.products 1 --bins name,price
  larder get test.users 007 --text-key
`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        node: { type: 'string', default: '127.0.0.1:3000' },
        bins: { type: 'string' },
        'text-key': { type: 'boolean', default: false },
      },
    })
    const key = parseKey(positionals[0], positionals[1], values['text-key'])
    const client = await connect({ hosts: [values.node] })
    try {
      const record = await client.get(key, values.bins === undefined ? {} : { bins: values.bins.split(',') })
      if (!record) {
        console.error('no such record')
        return 1
      }
      console.log(JSON.stringify(record.bins, jsonValue, 2))
      const life = record.voidTime === 0 ? 'never expires' : `expires in ${record.ttl} s`
      console.error(`generation ${record.generation}, ${life}`)
      return 0
    } finally {
      await client.close()
    }
  },
}

/** What JSON has no form for. */
function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]) => [String(key), item as unknown]))
  return value
}
