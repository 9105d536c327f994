import { infoError, infoLines } from '../../protocol/info-text.ts'
import { ResultCode } from '../../values/result-code.ts'
import { FrameType, HEADER_BYTES } from '../frame-header.ts'
import type { NodeState } from '../node-state.ts'
import { infoCommands } from './command-table.ts'
import type { InfoAnswer, InfoCaller } from './info-command.ts'

/** What an empty body asks for. */
const DEFAULT_SET =
  'features\nnode\ncompatibility-id\nedition\nbuild_ee_sha\nbuild_sha\nbuild_arch\nbuild_time\nbuild_os\nbuild\n' +
  'version\nstatistics\nservices-alumni\nservices\npartition-generation\n'

/** Answers a longer request could ask for are not worth the memory. */
const MAX_ANSWER_CHARACTERS = 64 * 1024 * 1024

interface Output {
  append(bytes: Buffer): void
}

/**
 * Appends the answer to an info body: each line as sent, a tab, the value, a newline. The result is the ticket
 * of what must be synced before it leaves (0 = nothing).
 */
export function appendInfoAnswer(node: NodeState, body: Buffer, caller: InfoCaller, out: Output): number {
  node.counters.infoRequests++
  let ticket = 0
  let size = 0
  const known = new Map<string, string>()
  const parts: string[] = []
  for (const { text, name, rest } of infoLines(body.length === 0 ? DEFAULT_SET : body.toString('latin1'))) {
    let value = known.get(text)
    if (value === undefined) {
      const answer: InfoAnswer =
        size > MAX_ANSWER_CHARACTERS
          ? infoError(ResultCode.SERVER_ERROR, 'answer too long')
          : run(node, name, rest, caller)
      value = typeof answer === 'string' ? answer : answer.value
      if (typeof answer !== 'string') ticket = Math.max(ticket, answer.ticket)
      else known.set(text, value)
    }
    const line = `${text}\t${value}\n`
    size += line.length
    parts.push(line)
  }
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  const answer = Buffer.from(parts.join(''), 'latin1')
  header[0] = 2
  header[1] = FrameType.INFO
  header.writeUIntBE(answer.length, 2, 6)
  out.append(header)
  out.append(answer)
  return ticket
}

function run(node: NodeState, name: string, rest: string, caller: InfoCaller): InfoAnswer {
  try {
    return infoCommands.get(name)?.(node, rest, caller) ?? UNKNOWN
  } catch (error) {
    node.faults.report(`the info command ${name}`, error)
    return infoError(ResultCode.SERVER_ERROR, 'server error')
  }
}

const UNKNOWN = infoError(ResultCode.PARAMETER, 'unrecognized command')
