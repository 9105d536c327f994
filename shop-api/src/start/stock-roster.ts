/** Which engine nodes decide about `stock`: the operator's roster, which the store keeps to the nodes it runs. */
import type { EngineProcess } from './engine-process.ts'
import { eventually } from './eventually.ts'
import { StartFailure } from './start-failure.ts'

const NAMESPACE = 'stock'
/** Time for a roster to come into force and for all partitions to serve under it. */
const ROSTER_MS = 120_000

type Ask = (address: string, command: string) => Promise<string>

/** Makes these nodes the roster, and waits until it is in force and every partition serves. */
export async function setRoster(engines: readonly Pick<EngineProcess, 'address'>[], ask: Ask): Promise<void> {
  const addresses = engines.map(({ address }) => address)
  const nodes = await Promise.all(addresses.map((address) => ask(address, 'node')))
  const isInForce = async (): Promise<boolean> => {
    const { roster, pending_roster: pending } = await rosterAt(addresses[0]!, ask)
    return pending === 'null' && roster !== undefined && sameNodes(roster, nodes)
  }
  if (!(await isInForce())) {
    const answer = await ask(addresses[0]!, `roster-set:namespace=${NAMESPACE};nodes=${nodes.join()}`)
    if (answer !== 'ok') {
      const why = answer.replace(/^ERROR:\d+:/, '')
      throw new StartFailure(`The roster of ${NAMESPACE} cannot be set: ${why}`)
    }
    await ask(addresses[0]!, 'recluster:')
  }
  const serves = async (): Promise<boolean> => {
    if (!(await isInForce())) return false
    const states = await Promise.all(addresses.map((address) => ask(address, `namespace/${NAMESPACE}`)))
    return states.every((state) => /(^|;)unavailable_partitions=0(;|$)/.test(state))
  }
  if (!(await eventually(ROSTER_MS, serves)))
    throw new StartFailure(
      `Not all of ${NAMESPACE} serves on the nodes ${nodes.join(', ')} after ${ROSTER_MS / 1000} s; \`larder status --node ${addresses[0]!}\` and its roster say more`,
    )
}

/** `roster=…:pending_roster=…:observed_nodes=…` by name. */
async function rosterAt(address: string, ask: Ask): Promise<Record<string, string | undefined>> {
  const text = await ask(address, `roster:namespace=${NAMESPACE}`)
  return Object.fromEntries(
    text.split(':').map((pair) => {
      const at = pair.indexOf('=')
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}

function sameNodes(roster: string, nodes: readonly string[]): boolean {
  const listed = roster.split(',').map((seat) => seat.split('@')[0])
  return listed.length === nodes.length && nodes.every((node) => listed.includes(node))
}
