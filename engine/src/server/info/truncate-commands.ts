import { infoError, infoParameters } from '../../protocol/info-text.ts'
import { ResultCode } from '../../values/result-code.ts'
import type { NodeState } from '../node-state.ts'
import type { InfoAnswer, InfoCommands } from './info-command.ts'

/** Makes all records of a set or a namespace disappear at once. */
export const truncateCommands: InfoCommands = {
  truncate: (node, rest) => truncate(node, rest, true),
  'truncate-namespace': (node, rest) => truncate(node, rest, false),
  'truncate-undo': (node, rest) => untruncate(node, rest, true),
  'truncate-namespace-undo': (node, rest) => untruncate(node, rest, false),
}

/** The text of a refusal, or the names of what is meant. */
function target(rest: string, wantsSet: boolean): { namespace: string; set: string | undefined } | string {
  const parameters = infoParameters(rest)
  const namespace = parameters.get('namespace') ?? parameters.get('ns')
  if (namespace === undefined) return infoError(ResultCode.INVALID_NAMESPACE, "missing 'namespace'")
  if (namespace === '') return infoError(ResultCode.INVALID_NAMESPACE, "missing 'namespace' value")
  const set = parameters.get('set')
  if (!wantsSet) return { namespace, set: undefined }
  if (set === undefined) return infoError(ResultCode.PARAMETER, "missing 'set'")
  if (set === '') return infoError(ResultCode.PARAMETER, "missing 'set' value")
  return { namespace, set }
}

/** 2010-01-01 in ms since 1970: what is older cannot have been written. */
const FIRST_MOMENT_MS = 1_262_304_000_000
const NANOS_PER_MS = 1e6

function truncate(node: NodeState, rest: string, wantsSet: boolean): InfoAnswer {
  const found = target(rest, wantsSet)
  if (typeof found === 'string') return found
  const lut = infoParameters(rest).get('lut')
  const strong = node.namespace(found.namespace)?.strongTruncation
  if (strong) {
    if (lut !== undefined)
      return infoError(ResultCode.PARAMETER, 'a strong namespace is truncated by position: leave lut out')
    return {
      later: (done) =>
        strong.truncate(found.set ?? '', (refusal) =>
          done(refusal ? infoError(refusal.code, refusal.text) : 'ok'),
        ),
    }
  }
  const now = node.clock()
  // Records of this millisecond are older than the request, those of the next are newer.
  const before = lut === undefined ? now + 1 : Number(lut) / NANOS_PER_MS
  if (!(before > FIRST_MOMENT_MS)) return infoError(ResultCode.PARAMETER, 'would truncate to 0')
  if (lut !== undefined && before > now)
    return infoError(ResultCode.PARAMETER, 'would truncate in the future')
  // An unknown namespace is no error: another node of a cluster may have it.
  const ticket = node.namespace(found.namespace)?.truncate(found.set, before) ?? 0
  return { value: 'ok', ticket }
}

function untruncate(node: NodeState, rest: string, wantsSet: boolean): string {
  const found = target(rest, wantsSet)
  if (typeof found === 'string') return found
  const namespace = node.namespace(found.namespace)
  if (namespace?.strongTruncation)
    return infoError(ResultCode.PARAMETER, 'a truncation of a strong namespace cannot be undone')
  namespace?.untruncate(found.set)
  return 'ok'
}
