import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Node } from '@larder/engine'
import { startNode } from '@larder/engine'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { available } from '../support/requirement.ts'

const run = promisify(execFile)
const here = import.meta.dirname

let node: Node

beforeAll(async () => {
  node = await startNode({ port: 0 })
})

afterAll(() => node.close())

/** The program's output; a failure carries what it said. */
async function output(command: string, args: string[], cwd = here): Promise<string> {
  const { stdout } = await run(command, args, { cwd, timeout: 120_000 })
  return stdout.trim()
}

describe.runIf(available('npm-aerospike', 'the Node.js client'))('the Node.js client', () => {
  it('connects, walks through a record, operates on lists and maps, works in batches', async () => {
    expect(await output(process.execPath, ['node-client.ts', String(node.port)])).toBe('ok')
  })
})

describe.runIf(available('python', 'the Python client'))('the Python client', () => {
  it('connects, walks through a record, operates on lists and maps, works in batches', async () => {
    expect(await output('python3', ['python-client.py', String(node.port)])).toBe('ok')
  })
})

describe.runIf(available('go', 'the Go client'))('the Go client', () => {
  it('connects, walks through a record, operates on lists and maps, works in batches', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'larder-interop-'))
    try {
      const program = join(folder, 'interop')
      await output('go', ['build', '-o', program, '.'], join(here, 'go'))
      expect(await output(program, [String(node.port)])).toBe('ok')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
