import { connect, requestInfo } from '@larder/engine'
import { startCommand } from './start/command.ts'
import { connectionOver } from './start/engine-connection.ts'
import { type EngineClusterOptions, startEngineCluster } from './start/engine-cluster.ts'
import { startEngine } from './start/engine-process.ts'

async function ask(address: string, command: string): Promise<string> {
  const at = new URL(`larder://${address}`)
  const answers = await requestInfo({ host: at.hostname, port: Number(at.port) }, [command])
  return answers.get(command) ?? ''
}

process.exitCode = await startCommand(process.argv.slice(2), {
  environment: process.env,
  out: process.stdout,
  err: process.stderr,
  process,
  now: Date.now,
  startEngine: (options: EngineClusterOptions) => startEngineCluster(options, { start: startEngine, ask }),
  connect: async (addresses) => connectionOver(await connect({ hosts: [...addresses] })),
})
process.exit()
