import { ByteWriter } from '../values/byte-writer.ts'
import type { Way } from './way.ts'

const FRAME_HEADER_BYTES = 8

/** Asks a node info commands; the answers by command. */
export async function askInfo(
  way: Way,
  commands: readonly string[],
  timeout: number,
): Promise<Map<string, string>> {
  const body = Buffer.from(commands.map((command) => `${command}\n`).join(''))
  const request = new ByteWriter(FRAME_HEADER_BYTES + body.length)
  request.byte(2)
  request.byte(1)
  request.buffer.writeUIntBE(body.length, request.take(6), 6)
  request.bytes(body, 0, body.length)
  const answer = await way.send(request, 'info', timeout)
  const answers = new Map<string, string>()
  for (const line of answer.toString('utf8', FRAME_HEADER_BYTES).split('\n')) {
    const tab = line.indexOf('\t')
    if (tab >= 0) answers.set(line.slice(0, tab), line.slice(tab + 1))
  }
  return answers
}
