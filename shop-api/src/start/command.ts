import { help, startArguments } from './arguments.ts'
import { dryRun, runStart, type StartWorld } from './run-start.ts'
import { failureLine } from './start-failure.ts'

/** The process as the command needs it. */
export interface CommandProcess {
  on(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  exit(code: number): unknown
}

export interface CommandWorld extends StartWorld {
  readonly process: CommandProcess
  readonly err: { write(text: string): unknown }
}

/**
 * `npm start`: runs until Ctrl-C, or until the engine node is gone. A second Ctrl-C does not wait any more.
 *
 * @returns the exit code
 */
export async function startCommand(argv: readonly string[], world: CommandWorld): Promise<number> {
  try {
    const args = startArguments(argv, world.environment)
    if (args.help) {
      world.out.write(help)
      return 0
    }
    if (args.dryRun) {
      await dryRun(args, world)
      return 0
    }
    const stop = stopSignal(world.process)
    const store = await runStart(args, world)
    const reason = await Promise.race([stop, store.ended])
    world.out.write(reason === undefined ? '\nStopping …\n' : `${reason}\n`)
    await store.close()
    if (reason === undefined) world.out.write('Stopped; all data is kept.\n')
    return reason === undefined ? 0 : 1
  } catch (error) {
    world.err.write(`${failureLine(error, 'The store stopped')}\n`)
    return 1
  }
}

function stopSignal(process: CommandProcess): Promise<undefined> {
  return new Promise((resolve) => {
    let asked = false
    const listener = () => {
      if (asked) process.exit(130)
      asked = true
      resolve(undefined)
    }
    process.on('SIGINT', listener)
    process.on('SIGTERM', listener)
  })
}
