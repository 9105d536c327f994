import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Command } from './command.ts'
import { CommandError, parseAddress, wholeNumber } from './command.ts'
import { requestInfo } from './info-request.ts'
import type { StatusSample } from './status-frame.ts'
import { statusFrame } from './status-frame.ts'

/** Between the two looks that --once needs for a rate, in ms. */
const ONCE_MS = 500

const ESC = '\x1b['
const ALTERNATE_SCREEN = `${ESC}?1049h${ESC}?25l`
const NORMAL_SCREEN = `${ESC}?25h${ESC}?1049l`

export const statusCommand: Command = {
  help: `larder status [--node host:port] [--every SECONDS] [--once]

Redraws until q or Ctrl-C; --once prints one screen and ends, for scripts and terminals without a cursor.
Percentiles are of the last ten seconds, rates of the time since the screen before. Requests of clients in the node's
own process count like those that come over the network. In a cluster all nodes are shown that this one knows: of how many
partitions each is master and another replica, what is still to be filled or handed over, and how many requests it had
to pass on; the rest is of this node. batch: whole batches; their rows are batch-sub-read and
batch-sub-write. commit-wait: how long answers were held for the disk, those that left together counted once.

Examples:
  larder status
  larder status --node 127.0.0.1:3010 --every 5
  larder status --once
`,
  async run(args) {
    const { values } = parseArgs({
      args,
      options: {
        node: { type: 'string', default: '127.0.0.1:3000' },
        every: { type: 'string', default: '1' },
        once: { type: 'boolean' },
      },
    })
    const address = parseAddress(values.node)
    const everyMs = wholeNumber('every', values.every, 1, 3600) * 1000
    const first = await look(address)
    if (values.once || !process.stdout.isTTY) {
      await sleep(ONCE_MS)
      console.log(statusFrame(await look(address), first).join('\n'))
      return 0
    }
    return live(address, everyMs, first)
  },
}

async function look(address: { host: string; port: number }): Promise<StatusSample> {
  const own = `${address.host}:${address.port}`
  const info = await lookAt(address)
  const peers = (info.get('services') ?? '').split(';').filter(Boolean)
  const others = await Promise.all(
    peers.map(async (peer) => ({
      address: peer,
      info: await lookAt(parseAddress(peer)).catch(() => undefined),
    })),
  )
  return { at: performance.now(), address: own, info, nodes: [{ address: own, info }, ...others] }
}

async function lookAt(address: { host: string; port: number }): Promise<Map<string, string>> {
  const names = ['node', 'build', 'namespaces', 'statistics', 'larder-latencies']
  const ofCluster = ['services', 'replicas', 'cluster-name']
  const info = await requestInfo(address, [...names, ...ofCluster])
  const namespaces = (info.get('namespaces') ?? '').split(';').filter(Boolean)
  if (namespaces.length > 0)
    for (const [name, value] of await requestInfo(
      address,
      namespaces.map((namespace) => `namespace/${namespace}`),
    ))
      info.set(name, value)
  return info
}

/** Redraws in place, on the terminal's alternate screen, which leaves what was there before. */
async function live(
  address: { host: string; port: number },
  everyMs: number,
  first: StatusSample,
): Promise<number> {
  const stop = new AbortController()
  const { stdin, stdout } = process
  const onKey = (key: Buffer): void => {
    if (key.includes('q') || key.includes('\x03')) stop.abort()
  }
  const onResize = (): void => void stdout.write(`${ESC}2J`)
  process.once('SIGINT', () => stop.abort())
  process.once('SIGTERM', () => stop.abort())
  if (stdin.isTTY) stdin.setRawMode(true)
  stdin.on('data', onKey)
  stdout.on('resize', onResize)
  stdout.write(ALTERNATE_SCREEN)
  let before = first
  let trouble = ''
  try {
    while (!stop.signal.aborted) {
      draw(trouble === '' ? statusFrame(before, first) : [trouble])
      await sleep(everyMs, undefined, { signal: stop.signal }).catch(() => undefined)
      if (stop.signal.aborted) break
      try {
        const now = await look(address)
        first = before
        before = now
        trouble = ''
      } catch (error) {
        if (!(error instanceof CommandError)) throw error
        trouble = `${error.message} (trying again)`
      }
    }
  } finally {
    stdout.write(NORMAL_SCREEN)
    stdout.off('resize', onResize)
    stdin.off('data', onKey)
    if (stdin.isTTY) stdin.setRawMode(false)
    stdin.pause()
  }
  return 0
}

/** Writes over the last screen line by line, so that nothing flickers. */
function draw(lines: readonly string[]): void {
  const { columns, rows } = process.stdout
  const visible = [...lines, '', 'q quits'].slice(0, rows)
  process.stdout.write(
    `${ESC}H${visible.map((line) => line.slice(0, columns) + `${ESC}K`).join('\n')}${ESC}J`,
  )
}
