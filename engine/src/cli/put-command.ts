import { parseArgs } from 'node:util'
import { connect } from '../client/client.ts'
import { MAX_TTL_S } from '../protocol/time-to-live.ts'
import type { Command } from './command.ts'
import { CommandError, wholeNumber } from './command.ts'
import { parseKey } from './record-key.ts'

export const putCommand: Command = {
  help: `larder put NAMESPACE[.SET] KEY JSON [--node host:port] [--ttl SECONDS] [--replace] [--text-key]

Writes the bins of a JSON object; a bin set to null is removed. Other bins stay, unless --replace is given.

Examples:
  larder put test.products 1 '{"name":"Laptop","price":999.99,"quantity":100}'
  larder put test.products 1 '{"quantity":99}'
  larder put test.sessions abc '{"cart":[1,2]}' --ttl 3600
`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        node: { type: 'string', default: '127.0.0.1:3000' },
        ttl: { type: 'string' },
        replace: { type: 'boolean' },
        'text-key': { type: 'boolean', default: false },
      },
    })
    const key = parseKey(positionals[0], positionals[1], values['text-key'])
    const bins = parseBins(positionals[2])
    const client = await connect({ hosts: [values.node] })
    try {
      const written = await client.put(key, bins, {
        ...(values.ttl === undefined ? {} : { ttl: wholeNumber('ttl', values.ttl, 1, MAX_TTL_S) }),
        ...(values.replace ? { exists: 'create-or-replace' as const } : {}),
      })
      console.log(`ok, generation ${written.generation}`)
      return 0
    } finally {
      await client.close()
    }
  },
}

type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

function parseBins(text: string | undefined): Record<string, Json> {
  let value: unknown
  try {
    value = JSON.parse(text ?? '')
  } catch {
    throw new CommandError(`bins must be a JSON object, such as '{"name":"Laptop"}'`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CommandError(`bins must be a JSON object, such as '{"name":"Laptop"}'`)
  return value as Record<string, Json>
}
