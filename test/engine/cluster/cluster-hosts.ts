/** What tests ask of nodes that are on sockets for each other and not for clients. */
import type { ClusterHost } from '../../../engine/src/server/mesh/cluster-host.ts'
import { readAnswer } from '../../../engine/src/simulator/request-body.ts'
import { eventually } from '../../support/eventually.ts'

/** Members of the view in which the node serves. */
export const sizeOf = ({ node }: ClusterHost): number =>
  node.serving === undefined ? 0 : (node.membership.active?.members.length ?? 0)

/** `time` in ms is what the client waits. */
export function ask(
  host: ClusterHost,
  namespace: string,
  body: Buffer,
  time = 1000,
): Promise<{ code: number; text: string | undefined }> {
  return new Promise((resolve) =>
    host.submit({ namespace, body, time, answer: (frame) => resolve(readAnswer(frame)) }),
  )
}

/** Answers how many ms it took. */
export async function until(what: string, holds: () => boolean): Promise<number> {
  const began = performance.now()
  await eventually(holds, { what, ms: 20_000 })
  return performance.now() - began
}
