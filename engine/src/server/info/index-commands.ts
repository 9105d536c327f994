import { infoError, infoParameters } from '../../protocol/info-text.ts'
import { ResultCode } from '../../values/result-code.ts'
import type { NodeState } from '../node-state.ts'
import type { InfoCommands } from './info-command.ts'

/**
 * Secondary indexes, modules and jobs: this server has none yet. Questions about them are answered as by a server
 * on which none was made; making one is refused.
 */
export const indexCommands: InfoCommands = {
  sindex: (node, rest) => {
    const [namespace = '', index] = rest.split('/')
    if (rest !== '' && !node.namespace(namespace)) return 'ns_type=unknown'
    return index === undefined ? '' : noIndex
  },
  'sindex-list': (node, rest) => {
    const namespace = infoParameters(rest).get('namespace') ?? infoParameters(rest).get('ns')
    return namespace === undefined || node.namespace(namespace) ? '' : `${noNamespace};${noNamespace}`
  },
  'sindex-exists': (node, rest) => (known(node, rest) ? 'false' : noNamespace),
  'sindex-stat': (node, rest) => (known(node, rest) ? noIndex : noNamespace),
  'sindex-delete': () => 'ok',
  'sindex-create': () => infoError(ResultCode.UNSUPPORTED, 'secondary indexes are not supported yet'),
  'udf-list': () => '',
  'udf-get': () => 'error=not_found',
  'udf-remove': () => 'ok',
  'udf-put': () => infoError(ResultCode.UNSUPPORTED, 'user-defined functions are not supported yet'),
  'udf-clear-cache': () => 'ok',
  'query-show': (_node, rest) => (rest === '' ? '' : infoError(ResultCode.NOT_FOUND, 'job not found')),
  'query-abort': () => infoError(ResultCode.NOT_FOUND, 'id not active'),
  'query-abort-all': () => 'number-of-queries-killed:0',
}

const noIndex = infoError(ResultCode.INDEX_NOT_FOUND, 'no index')
const noNamespace = infoError(ResultCode.INVALID_NAMESPACE, 'namespace not found on node')

function known(node: NodeState, rest: string): boolean {
  const parameters = infoParameters(rest)
  return node.namespace(parameters.get('namespace') ?? parameters.get('ns') ?? '') !== undefined
}
