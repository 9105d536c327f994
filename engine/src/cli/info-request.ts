import { connect } from 'node:net'
import { CommandError } from './command.ts'

const HEADER_BYTES = 8
const ANSWER_MS = 5000

/** Asks one node for info lines; answers name and value of each. */
export function requestInfo(
  { host, port }: { host: string; port: number },
  names: readonly string[],
): Promise<Map<string, string>> {
  const body = Buffer.from(names.map((name) => `${name}\n`).join(''))
  const request = Buffer.concat([Buffer.from([2, 1, 0, 0, 0, 0, 0, 0]), body])
  request.writeUIntBE(body.length, 2, 6)
  return new Promise((resolve, reject) => {
    const socket = connect(port, host)
    const chunks: Buffer[] = []
    const fail = (why: string): void => {
      socket.destroy()
      reject(
        new CommandError(`no answer from ${host}:${port}: ${why}; is a node running there? (larder server)`),
      )
    }
    socket.setTimeout(ANSWER_MS, () => fail(`silent for ${ANSWER_MS / 1000} s`))
    socket.on('error', (error) => fail(error.message))
    socket.on('end', () => fail('the connection was closed'))
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      const answer = chunks.length === 1 ? chunk : Buffer.concat(chunks)
      if (answer.length < HEADER_BYTES || answer.length < HEADER_BYTES + answer.readUIntBE(2, 6)) return
      socket.destroy()
      resolve(linesOf(answer.subarray(HEADER_BYTES).toString()))
    })
    socket.write(request)
  })
}

function linesOf(text: string): Map<string, string> {
  const lines = new Map<string, string>()
  for (const line of text.split('\n')) {
    const tab = line.indexOf('\t')
    if (tab >= 0) lines.set(line.slice(0, tab), line.slice(tab + 1))
  }
  return lines
}
