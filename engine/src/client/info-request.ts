import { ByteWriter } from '../values/byte-writer.ts'
import { FRAME_HEADER_BYTES, FrameType } from './answer-message.ts'
import { type Way, WayError } from './way.ts'

/** Asks a node info commands; the answers by command. Rejects with a `WayError`. Source: protocol notes, info 1. */
export function askInfo(
  way: Way,
  commands: readonly string[],
  timeout: number,
): Promise<Map<string, string>> {
  const body = Buffer.from(commands.map((command) => `${command}\n`).join(''))
  const head = Buffer.from([2, FrameType.INFO, 0, 0, 0, 0, 0, 0])
  head.writeUIntBE(body.length, 2, 6)
  const request = new ByteWriter(head.length + body.length)
  request.bytes(head, 0, head.length)
  request.bytes(body, 0, body.length)
  return new Promise((resolve, reject) => {
    way.send(request, 'info', timeout, {
      manyFrames: false,
      frame: (buffer, start, end) => {
        if (buffer[start + 1] !== FrameType.INFO) {
          // A server that refuses info, or its disk failed.
          reject(new WayError('connection', true, `an answer of type ${buffer[start + 1]} to info`))
          return true
        }
        resolve(parseAnswers(buffer.toString('utf8', start + FRAME_HEADER_BYTES, end)))
        return true
      },
      failed: reject,
    })
  })
}

function parseAnswers(text: string): Map<string, string> {
  const answers = new Map<string, string>()
  for (const line of text.split('\n')) {
    const tab = line.indexOf('\t')
    if (tab >= 0) answers.set(line.slice(0, tab), line.slice(tab + 1))
  }
  return answers
}
