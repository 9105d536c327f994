/**
 * Several nodes on one machine, each a process of its own with its own ports and folder, in one rack: replicas of what
 * they hold belong on other machines. Nothing is started again by itself; a node that ends is reported, the others go
 * on. Each node is a child in a process group of its own, so that Ctrl-C reaches the parent alone, which asks all of
 * them to stop; should the parent die, their channel to it closes and they stop as well.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { ClusterConfig } from '../server/cluster-config.ts'

export interface NodeGroupOptions {
  readonly count: number
  readonly host: string
  /** Service port of the first node; the others follow in steps of ten. */
  readonly port: number
  /** Port of the first node for other nodes. */
  readonly meshPort: number
  /** Nodes elsewhere. */
  readonly seeds: NonNullable<ClusterConfig['seeds']>
  /** Each node keeps its data in a folder below. */
  readonly folder: string | undefined
  /** Flags of `larder server` that are the same for all. */
  readonly flags: readonly string[]
  /** The larder command. */
  readonly program: string
  readonly print: (line: string) => void
}

export interface NodeGroup {
  /** Resolves when all serve; rejects with the line of one that did not start, when all are gone. */
  readonly started: Promise<void>
  /** Resolves when all have ended, by themselves or because they were asked to. */
  readonly ended: Promise<void>
  /** Asks all to stop; once more ends them at once. */
  stop(): void
}

/** Between the ports of two nodes. */
const PORT_STEP = 10
const serves = /^Node \S+ serves /

interface Member {
  readonly child: ChildProcess
  readonly name: string
  readonly serving: Promise<void>
  readonly ended: Promise<void>
}

export function startGroup(options: NodeGroupOptions): NodeGroup {
  const state = { isStopping: false, failure: '' }
  const members = Array.from({ length: options.count }, (_, i) => startMember(options, i, state))
  const stop = (): void => {
    const signal = state.isStopping ? 'SIGKILL' : 'SIGTERM'
    state.isStopping = true
    for (const { child } of members) if (child.exitCode === null) child.kill(signal)
  }
  const ended = Promise.all(members.map((member) => member.ended)).then(() => undefined)
  const failed = Promise.any(
    members.map(async (member) => {
      await Promise.race([member.serving, member.ended])
      if (member.child.exitCode === null && member.child.signalCode === null) throw new Error('it serves')
    }),
  )
  const started = Promise.race([
    Promise.all(members.map(({ serving }) => serving)).then(() => undefined),
    failed.then(
      async () => {
        stop()
        await ended
        throw new Error(state.failure)
      },
      // All of them serve.
      () => undefined,
    ),
  ])
  return { started, ended, stop }
}

function startMember(
  options: NodeGroupOptions,
  index: number,
  state: { isStopping: boolean; failure: string },
): Member {
  const name = `node ${index + 1}`
  const args = flagsOf(options, index)
  const child = spawn(process.execPath, [...process.execArgv, options.program, 'server', ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  })
  let isServing = false
  let last = ''
  const serving = new Promise<void>((resolve) => {
    for (const stream of [child.stdout!, child.stderr!])
      createInterface({ input: stream }).on('line', (line) => {
        last = line
        options.print(`${name} | ${line}`)
        if (!serves.test(line)) return
        isServing = true
        resolve()
      })
  })
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      last = error.message
      resolve()
    })
    child.once('close', (code, signal) => {
      const how = signal ? `by ${signal}` : `with exit status ${code}`
      if (!isServing) state.failure ||= `${name} did not start (${how}): ${last}`
      else if (!state.isStopping)
        options.print(
          `${name} | ended ${how}; the others go on. To start it again: larder server ${args.join(' ')}`,
        )
      resolve()
    })
  })
  return { child, name, serving, ended }
}

function flagsOf(options: NodeGroupOptions, index: number): string[] {
  const { count, host, port, meshPort, folder, flags } = options
  const others = Array.from({ length: count }, (_, i) => i).filter((i) => i !== index)
  const seeds = [...options.seeds, ...others.map((i) => `${host}:${meshPort + i * PORT_STEP}`)]
  return [
    ...['--port', String(port + index * PORT_STEP), '--mesh-port', String(meshPort + index * PORT_STEP)],
    ...seeds.flatMap((seed) => ['--seed', seed]),
    ...(folder === undefined ? [] : ['--folder', `${folder}/node-${index + 1}`]),
    ...flags,
  ]
}
