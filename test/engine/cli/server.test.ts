import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { requestInfo } from '../../../engine/src/cli/info-request.ts'

const program = join(import.meta.dirname, '../../../engine/src/cli/larder.ts')
const children: ChildProcess[] = []
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'larder-cli-'))
})

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

function larder(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, stdio: 'pipe' })
  children.push(child)
  return child
}

/** What the process has said when it has said this. */
async function says(child: ChildProcess, what: RegExp): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout!) {
    text += String(chunk)
    if (what.test(text)) return text
  }
  return text
}

async function ended(child: ChildProcess): Promise<{ code: number | null; err: string }> {
  let err = ''
  child.stderr!.on('data', (chunk) => (err += String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, err }
}

describe('larder server', () => {
  it('says in one line what it serves, answers, and stops cleanly', async () => {
    const child = larder('server', '--port', '0')
    const line = await says(child, /\n/)
    expect(line).toMatch(
      /^Node [0-9A-F]+ serves 127\.0\.0\.1:\d+; namespaces: test \(in memory, gone when this process ends\)\n$/,
    )
    const port = Number(/:(\d+);/.exec(line)![1])
    expect((await requestInfo({ host: '127.0.0.1', port }, ['build'])).get('build')).toBe('8.1.2.0')
    const second = ended(larder('server', '--port', String(port)))
    expect(await second).toEqual({
      code: 1,
      err: `larder: Port 127.0.0.1:${port} is in use by another program; stop it or choose another port with --port (0 takes any free one)\n`,
    })
    const end = ended(child)
    child.kill('SIGTERM')
    expect((await end).code).toBe(0)
  })

  it('with a setting that is wrong is one line and exit status 1', async () => {
    expect(await ended(larder('server', '--namespace', 'a,comit'))).toEqual({
      code: 1,
      err: expect.stringMatching(
        /^larder: Namespace setting "comit" is not known; use none, flush, commit.*\n$/,
      ) as string,
    })
  })
})
