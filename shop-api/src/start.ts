import { connect } from '@larder/engine'
import { startCommand } from './start/command.ts'
import { connectionOver } from './start/engine-connection.ts'
import { startEngine } from './start/engine-process.ts'

process.exitCode = await startCommand(process.argv.slice(2), {
  environment: process.env,
  out: process.stdout,
  err: process.stderr,
  process,
  now: Date.now,
  startEngine,
  connect: async (address) => connectionOver(await connect({ hosts: [address] })),
})
process.exit()
