import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Command, CommandError, parseAddress, wholeNumber } from './command.ts'
import { requestInfo } from './info-request.ts'
import { idOf, isInForce, type Roster, rosterLines, rosterOf } from './roster-text.ts'
import { pairsOf } from './status-text.ts'

const NODE_PATTERN = /^[0-9a-f]{1,16}(@\d+)?$/i
/** Between two looks at a roster that is to come into force, in ms. */
const LOOK_MS = 200

type Address = ReturnType<typeof parseAddress>

interface Call {
  readonly node: Address
  readonly names: readonly string[]
  readonly allObserved: boolean
  readonly reclusters: boolean
  readonly waitSeconds: number
}

const actions: Readonly<Record<string, (call: Call) => Promise<number>>> = {
  show,
  set,
  recluster: async ({ node, names }) => {
    if (names.length > 0) throw new CommandError(`recluster is for all namespaces; leave ${names[0]} out`)
    await recluster(node)
    console.log('asked for a new view')
    return 0
  },
  revive,
}

export const rosterCommand: Command = {
  help: `larder roster [show] [NAMESPACE…] [--node host:port]
larder roster set NAMESPACE --all-observed | NODE[@RACK]… [--no-recluster] [--wait SECONDS]
larder roster revive NAMESPACE [--no-recluster] [--wait SECONDS]
larder roster recluster

The roster of a strong namespace lists the nodes that decide. Any node of the cluster can be asked; nothing is asked
back. set and revive take effect with the next view, which they ask for unless --no-recluster says that a later
larder roster recluster will; --wait waits until the roster is in force and fails when it is not by then.

show       in force: decides now; pending: set, and not in force yet; observed: the nodes that are here;
           unavailable: partitions that may not serve; dead: those among them that only revive makes serve
set        the nodes of the roster, all of them: who is left out is taken off; @RACK where it is not the node's own
recluster  asks for a new view of the same nodes
revive     gives up the data folders of the roster that are not here, for ever, and makes partitions without a complete
           copy serve with what is left: writes that only the lost folders had are gone. A node that is cut off but
           runs may answer stale reads until it learns of it. A folder that was given up is not let in again

Examples:
  larder roster
  larder roster set stock --all-observed
  larder roster set stock A1 A2 A3@2 --wait 30
  larder roster set stock A1,A2,A3 --no-recluster
  larder roster recluster
  larder roster revive stock --node 10.0.0.1:3000
`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        node: { type: 'string', default: '127.0.0.1:3000' },
        'all-observed': { type: 'boolean', default: false },
        'no-recluster': { type: 'boolean', default: false },
        wait: { type: 'string', default: '0' },
      },
    })
    const [first = 'show', ...names] = positionals
    const action = Object.hasOwn(actions, first) ? actions[first] : undefined
    const call = {
      node: parseAddress(values.node),
      allObserved: values['all-observed'],
      reclusters: !values['no-recluster'],
      waitSeconds: wholeNumber('wait', values.wait, 0, 3600),
    }
    if (call.allObserved && first !== 'set') throw new CommandError('--all-observed belongs to set')
    if (call.waitSeconds > 0 && !call.reclusters)
      throw new CommandError('--wait waits for the view that --no-recluster does not ask for; leave one out')
    return action ? action({ ...call, names }) : show({ ...call, names: positionals })
  },
}

async function show({ node, names }: Call): Promise<number> {
  const shown = names.length > 0 ? names : await strongNamespaces(node)
  if (shown.length === 0)
    throw new CommandError(
      'the node has no strong namespace; a node is given one with --namespace NAME,commit,strong',
    )
  const rosters = await Promise.all(shown.map((name) => look(node, name)))
  console.log(rosters.map((roster) => rosterLines(roster).join('\n')).join('\n\n'))
  return 0
}

async function set(call: Call): Promise<number> {
  const [name, ...rest] = call.names
  if (name === undefined)
    throw new CommandError('which namespace? larder roster set NAMESPACE --all-observed')
  const listed = rest.flatMap((part) => part.split(',')).filter((part) => part !== '')
  const wrong = listed.find((id) => !NODE_PATTERN.test(id))
  if (wrong !== undefined)
    throw new CommandError(`${wrong} is no node id; ids are up to 16 hex digits, as A1 or A1@RACK`)
  if (call.allObserved === listed.length > 0)
    throw new CommandError('list the node ids or give --all-observed, one of the two')
  const { observed } = await look(call.node, name)
  const nodes = call.allObserved ? observed : listed
  if (nodes.length === 0)
    throw new CommandError(`the node sees nobody with ${name} yet; try again when the cluster has formed`)
  await tell(call.node, `roster-set:namespace=${name};nodes=${nodes.join(',')}`)
  return follow(call, name, nodes)
}

async function revive(call: Call): Promise<number> {
  const [name, ...more] = call.names
  if (name === undefined || more.length > 0)
    throw new CommandError('revive takes one namespace: larder roster revive NAMESPACE')
  const { inForce, pending, observed } = await look(call.node, name)
  const here = observed.map(idOf)
  await tell(call.node, `revive:namespace=${name}`)
  return follow(
    call,
    name,
    (pending.length > 0 ? pending : inForce).filter((node) => here.includes(idOf(node))),
  )
}

/** What was set takes effect, and is shown. */
async function follow(call: Call, name: string, nodes: readonly string[]): Promise<number> {
  const { node, reclusters, waitSeconds } = call
  if (!reclusters) {
    console.log('noted; it takes effect with the next view: larder roster recluster')
    return 0
  }
  await recluster(node)
  const end = performance.now() + waitSeconds * 1000
  let roster = await look(node, name)
  while (waitSeconds > 0 && !isInForce(roster, nodes)) {
    if (performance.now() > end)
      throw new CommandError(
        `not in force after ${waitSeconds} s; larder roster ${name} shows what is still pending`,
      )
    await sleep(LOOK_MS)
    roster = await look(node, name)
  }
  console.log(rosterLines(roster).join('\n'))
  return 0
}

async function look(node: Address, name: string): Promise<Roster> {
  const [roster, statistics] = [`roster:namespace=${name}`, `namespace/${name}`]
  const answers = await requestInfo(node, [roster, statistics])
  const pairs = pairsOf(answers.get(statistics) ?? '')
  const text = accepted(answers.get(roster))
  if (pairs.get('strong-consistency') !== 'true')
    throw new CommandError(
      `${name} is not a strong namespace of this node; larder roster shows those that are`,
    )
  return rosterOf(name, text, pairs)
}

async function strongNamespaces(node: Address): Promise<string[]> {
  accepted((await requestInfo(node, ['roster:'])).get('roster:'))
  const all = (await requestInfo(node, ['namespaces'])).get('namespaces') ?? ''
  const names = all.split(';').filter(Boolean)
  const answers = await requestInfo(
    node,
    names.map((name) => `namespace/${name}`),
  )
  return names.filter(
    (name) => pairsOf(answers.get(`namespace/${name}`) ?? '').get('strong-consistency') === 'true',
  )
}

async function tell(node: Address, command: string): Promise<void> {
  accepted((await requestInfo(node, [command])).get(command))
}

const recluster = (node: Address): Promise<void> => tell(node, 'recluster:')

/** The value, unless the node refused. */
function accepted(answer: string | undefined): string {
  const [, code, why] = /^ERROR:(\d+):(.*)$/i.exec(answer ?? '') ?? []
  if (code === '25')
    throw new CommandError(
      'the node is alone, and rosters are of clusters; start it with --seed or --mesh-port (larder server --help)',
    )
  if (code !== undefined) throw new CommandError(`the node refused: ${why}`)
  return answer ?? ''
}
