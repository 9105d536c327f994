import { infoError, infoPairs, infoParameters } from '../../protocol/info-text.ts'
import { ResultCode } from '../../values/result-code.ts'
import type { NodeState } from '../node-state.ts'
import type { Settings } from '../settings.ts'
import { enterpriseOnly } from './identity-commands.ts'
import type { InfoCommands } from './info-command.ts'
import { withNamespace } from './namespace-commands.ts'

/** Settings, read and changed while the node runs. */
export const configCommands: InfoCommands = {
  'get-config': getConfig,
  'config-get': getConfig,
  'set-config': setConfig,
  'config-set': setConfig,
  logs: () => '0:stderr',
  log: (_node, rest) => (rest === '0' ? 'any:INFO' : infoError(ResultCode.PARAMETER, 'bad id')),
  'log-set': () => 'ok',
  'set-log': () => 'ok',
}

const invalidContext = infoError(ResultCode.PARAMETER, 'invalid context')
const invalidParameter = infoError(ResultCode.PARAMETER, 'invalid set-config parameter')

function getConfig(node: NodeState, rest: string): string {
  const context = infoParameters(rest).get('context')
  switch (context) {
    case undefined:
      return `${infoPairs(node.settings.entries())};${networkConfig(node)}`
    case 'service':
      return infoPairs(node.settings.entries())
    case 'network':
      return networkConfig(node)
    case 'namespace':
      return withNamespace(node, rest, (namespace) => infoPairs(namespace.settings.entries()))
    case 'xdr':
    case 'security':
      return ''
    default:
      return invalidContext
  }
}

function networkConfig(node: NodeState): string {
  return infoPairs([
    ['service.port', node.port],
    ['service.address', node.host],
    ['service.access-port', 0],
    ['service.access-address', node.host],
    ['service.alternate-access-port', 0],
    ['service.tls-port', 0],
    ['service.tls-access-port', 0],
    ['service.tls-alternate-access-port', 0],
    ['service.tls-name', 'null'],
    ['service.disable-localhost', false],
  ])
}

function setConfig(node: NodeState, rest: string): string {
  const parameters = infoParameters(rest)
  const context = parameters.get('context')
  switch (context) {
    case undefined:
      return infoError(ResultCode.PARAMETER, "missing 'context'")
    case 'service':
      return change(node.settings, parameters, ['context'])
    case 'namespace':
      return withNamespace(node, rest, (namespace) => {
        const set = parameters.get('set')
        const settings = set ? namespace.setSettings(set) : namespace.settings
        return change(settings, parameters, ['context', 'namespace', 'ns', 'id', 'set'])
      })
    case 'network':
      return invalidParameter
    case 'security':
      return enterpriseOnly()
    default:
      return invalidContext
  }
}

/** Changes what the parameters name, but for the words that say where. */
function change(settings: Settings, parameters: Map<string, string>, where: readonly string[]): string {
  const wanted = [...parameters].filter(([name]) => !where.includes(name))
  const accepted = wanted.every(([name, value]) => settings.change(name, value))
  return wanted.length > 0 && accepted ? 'ok' : invalidParameter
}
