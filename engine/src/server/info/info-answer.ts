import { infoError, infoLines } from '../../protocol/info-text.ts'
import { ResultCode } from '../../values/result-code.ts'
import { FrameType, HEADER_BYTES } from '../frame-header.ts'
import type { NodeState } from '../node-state.ts'
import { infoCommands } from './command-table.ts'
import { DeferredAnswer } from '../deferred-answer.ts'
import type { InfoAnswer, InfoCaller, LaterAnswer } from './info-command.ts'

/** What an empty body asks for. */
const DEFAULT_SET =
  'features\nnode\ncompatibility-id\nedition\nbuild_ee_sha\nbuild_sha\nbuild_arch\nbuild_time\nbuild_os\nbuild\n' +
  'version\nstatistics\nservices-alumni\nservices\npartition-generation\n'

/** Answers a longer request could ask for are not worth the memory. */
const MAX_ANSWER_CHARACTERS = 64 * 1024 * 1024

interface Line {
  readonly text: string
  readonly value: string
}

interface Output {
  append(bytes: Buffer): void
}

/**
 * Appends the answer to an info body: each line as sent, a tab, the value, a newline. The result is the ticket
 * of what must be synced before it leaves (0 = nothing), or the whole answer where a value comes later.
 */
export function appendInfoAnswer(
  node: NodeState,
  body: Buffer,
  caller: InfoCaller,
  out: Output,
): number | DeferredAnswer {
  node.counters.infoRequests++
  let ticket = 0
  let size = 0
  const known = new Map<string, string>()
  const lines: { readonly text: string; value: string }[] = []
  const later: { readonly line: { value: string }; readonly answer: LaterAnswer }[] = []
  for (const { text, name, rest } of infoLines(body.length === 0 ? DEFAULT_SET : body.toString('latin1'))) {
    let value = known.get(text)
    if (value === undefined) {
      const answer: InfoAnswer =
        size > MAX_ANSWER_CHARACTERS
          ? infoError(ResultCode.SERVER_ERROR, 'answer too long')
          : run(node, name, rest, caller)
      if (typeof answer === 'string') known.set(text, (value = answer))
      else if ('later' in answer) {
        const line = { text, value: '' }
        lines.push(line)
        later.push({ line, answer })
        continue
      } else {
        value = answer.value
        ticket = Math.max(ticket, answer.ticket)
      }
    }
    size += text.length + value.length
    lines.push({ text, value })
  }
  const deferred = new DeferredAnswer()
  deferred.ticket = ticket
  let missing = later.length
  for (const { line, answer } of later)
    answer.later((value) => {
      line.value = value
      missing--
      if (missing === 0) deferred.end(frameOf(lines))
    })
  if (!deferred.ended && later.length > 0) return deferred
  out.append(frameOf(lines))
  return ticket
}

function frameOf(lines: readonly Line[]): Buffer {
  const answer = Buffer.from(lines.map(({ text, value }) => `${text}\t${value}\n`).join(''), 'latin1')
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  header[0] = 2
  header[1] = FrameType.INFO
  header.writeUIntBE(answer.length, 2, 6)
  return Buffer.concat([header, answer])
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
