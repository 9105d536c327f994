/** A process that replays the transcripts it is told, each against a node of its own. */
import { startNode } from '@larder/engine'
import { goldenPath } from './files.ts'
import type { Replayer } from './replayer.ts'
import { loadReplayer, namespacesOf } from './replayer.ts'

export interface Report {
  readonly name: string
  readonly compared: number
  readonly identical: number
  readonly unstable: number
  /** Up to `show` differing exchanges, as text. */
  readonly differences: readonly string[]
  readonly failure?: string
}

const LINES_PER_EXCHANGE = 4
/** The name of the cluster that was recorded. */
const RECORDED_CLUSTER = 'golden'

async function replayOne(replayer: Replayer, name: string, show: number): Promise<Report> {
  const golden = replayer.readGolden(goldenPath(name))
  const node = await startNode({
    port: 0,
    nodeId: golden.meta.node,
    clusterName: RECORDED_CLUSTER,
    namespaces: namespacesOf(golden.meta.namespaces),
  })
  try {
    const outcomes = await replayer.replay(golden, { host: node.host, port: node.port })
    const stable = outcomes.filter((outcome) => !outcome.unstable)
    const differing = [...outcomes.entries()].filter(
      ([, { unstable, diffs }]) => !unstable && diffs.length > 0,
    )
    return {
      name,
      compared: stable.length,
      identical: stable.length - differing.length,
      unstable: outcomes.length - stable.length,
      differences: differing.slice(0, show).map(([index, { test, diffs }]) => {
        const { type, req } = golden.exchanges[index]!
        const lines = diffs.slice(0, LINES_PER_EXCHANGE).map((line) => `\n      ${line}`)
        return `#${index} ${test}\n    ${replayer.describe(type, Buffer.from(req, 'hex'))}${lines.join('')}`
      }),
    }
  } finally {
    await node.close()
  }
}

const replayer = await loadReplayer()
process.on('message', ({ name, show }: { name: string; show: number }) => {
  replayOne(replayer, name, show).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
      const report: Report = { name, compared: 0, identical: 0, unstable: 0, differences: [], failure }
      process.send?.(report)
    },
  )
})
