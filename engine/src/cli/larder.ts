#!/usr/bin/env node
import type { Command } from './command.ts'
import { CommandError } from './command.ts'

interface Entry {
  readonly summary: string
  /** Loads what the command needs and nothing else: a node does not want a client in memory. */
  readonly load: () => Promise<Command>
}

const commands: Readonly<Record<string, Entry>> = {
  server: {
    summary: 'run a node',
    load: async () => (await import('./server-command.ts')).serverCommand,
  },
  info: {
    summary: 'ask a node for info values',
    load: async () => (await import('./info-command.ts')).infoCommand,
  },
  roster: {
    summary: 'show and set who decides in a strong namespace',
    load: async () => (await import('./roster-command.ts')).rosterCommand,
  },
  get: {
    summary: 'read a record',
    load: async () => (await import('./get-command.ts')).getCommand,
  },
  put: {
    summary: 'write a record',
    load: async () => (await import('./put-command.ts')).putCommand,
  },
  bench: {
    summary: 'put load on a node and print rates and percentiles',
    load: async () => (await import('./bench-command.ts')).benchCommand,
  },
  status: {
    summary: 'live view of rates and latency percentiles',
    load: async () => (await import('./status-command.ts')).statusCommand,
  },
}

const usage = `larder: a key-value engine that speaks Aerospike's wire protocol

Usage: larder COMMAND [flags]

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`)
  .join('\n')}

Examples:
  larder server                                   a node on 127.0.0.1:3000, namespace test in memory
  larder put test.products 1 '{"name":"Laptop"}'  write a record
  larder get test.products 1                      read it
  larder COMMAND --help                           flags and examples of a command
`

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    console.log(usage)
    return 0
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!entry)
    throw new CommandError(`there is no command ${name}; there are ${Object.keys(commands).join(', ')}`)
  const command = await entry.load()
  if (args.includes('--help') || args.includes('-h')) {
    console.log(command.help)
    return 0
  }
  return command.run(args)
}

/** Errors whose message is all a person needs. */
function isExpected(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return (
    error instanceof CommandError ||
    error.name === 'StartError' ||
    error.name === 'ClientError' ||
    code.startsWith('ERR_PARSE_ARGS')
  )
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(isExpected(error) ? `larder: ${error.message}` : error)
  process.exitCode = 1
}
