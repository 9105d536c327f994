import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { nodeDisk } from '../../../engine/src/server/node-disk.ts'

const MIB = 1024 * 1024
const folder = mkdtempSync(join(tmpdir(), 'larder-node-disk-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('removing a file', () => {
  it('frees its bytes in pieces, once its name is gone', async () => {
    const path = join(folder, 'segment')
    const file = await nodeDisk.open(path, 'create')
    await file.write(Buffer.alloc(3 * MIB), 0, 3 * MIB, 0)
    await nodeDisk.remove(path)
    expect(await nodeDisk.list(folder)).toEqual([])
    // What is left goes with the last handle.
    expect(await file.size()).toBe(MIB)
    await file.close()
  })

  it('fails where there is none', async () => {
    await expect(nodeDisk.remove(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
