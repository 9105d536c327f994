import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { NodeConfig } from '../../../engine/src/server/config.ts'
import { resolveConfig } from '../../../engine/src/server/config.ts'
import { gatherConfig, parseNamespace } from '../../../engine/src/server/config-sources.ts'
import { StartError } from '../../../engine/src/server/start-error.ts'

describe('a configuration', () => {
  it('needs nothing: namespace test in memory on 127.0.0.1:3000', () => {
    const { host, port, namespaces, folder } = resolveConfig()
    expect({ host, port, folder }).toEqual({ host: '127.0.0.1', port: 3000, folder: undefined })
    expect(namespaces.map(({ name, files, durability }) => ({ name, files, durability }))).toEqual([
      { name: 'test', files: false, durability: 'none' },
    ])
  })

  it('keeps files, flushed, when it names a folder', () => {
    const [namespace] = resolveConfig({ folder: '/data' }).namespaces
    expect(namespace).toMatchObject({ files: true, folder: '/data/test', durability: 'flush' })
  })

  it.each<[NodeConfig, string]>([
    [{ port: 70_000 }, 'Setting port is 70000; it must be a whole number from 0 to 65535'],
    [{ port: Number('x') }, 'Setting port is null; it must be a whole number from 0 to 65535'],
    [{ host: '' }, 'Setting host is ""; it must be a text'],
    [{ nodeId: 'xyz' }, 'Setting nodeId is "xyz"; it must be 1 to 16 hex digits, not all 0'],
    [{ namespaces: [] }, 'Setting namespaces is []; it must be a list of 1 to 32 namespaces'],
    [
      { namespaces: [{ name: 'a;b' }] },
      'Setting namespaces[0].name is "a;b"; it must be 1 to 31 letters, digits, - or _',
    ],
    [
      { namespaces: [{ name: 'a' }, { name: 'a' }] },
      'Setting namespaces is "a"; it must be names that differ',
    ],
    [
      { namespaces: [{ name: 'a', durability: 'commit' }] },
      'Namespace a is to be commit but keeps no files; name a folder (--folder) or leave durability out',
    ],
    [
      { namespaces: [{ name: 'a', files: true }] },
      'Namespace a wants files but the node has no folder; name one with folder (--folder)',
    ],
    [
      { namespaces: [{ name: 'a', memoryMiB: 1 }] },
      'Setting namespaces[0].memoryMiB is 1; it must be a whole number from 16 to 1048576',
    ],
    [
      { namespaces: [{ name: 'a', conflictResolutionPolicy: 'newest' as 'generation' }] },
      'Setting namespaces[0].conflictResolutionPolicy is "newest"; it must be one of generation, last-update-time',
    ],
    [
      {
        namespaces: [{ name: 'a', consistency: 'strong', conflictResolutionPolicy: 'generation' }],
        cluster: {},
      },
      'Namespace a is to be strong and merges nothing; leave conflictResolutionPolicy out',
    ],
  ])('%j is refused with what would be right', (config, message) => {
    expect(() => resolveConfig(config)).toThrow(new StartError(message))
  })

  it('refuses a setting it does not know, naming those it knows', () => {
    const config = { prot: 3000 } as NodeConfig
    expect(() => resolveConfig(config)).toThrow('There is no setting prot; known are host, port, nodeId')
  })
})

describe('where a configuration comes from', () => {
  let cwd: string
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'larder-config-'))
  })
  afterEach(() => rmSync(cwd, { recursive: true }))

  it('flags win over the environment, which wins over the file', async () => {
    writeFileSync(
      join(cwd, 'larder.config.ts'),
      "export default { host: 'file', port: 1, clusterName: 'file' }\n",
    )
    const environment = { LARDER_HOST: 'environment', LARDER_PORT: '2' }
    expect(await gatherConfig({ cwd, environment, flags: { port: 3 } })).toEqual({
      host: 'environment',
      port: 3,
      clusterName: 'file',
    })
  })

  it('a file that was named has to be there', async () => {
    await expect(gatherConfig({ cwd, file: 'other.ts', environment: {}, flags: {} })).rejects.toThrow(
      `There is no configuration file ${join(cwd, 'other.ts')}`,
    )
  })

  it('a file that exports nothing is refused', async () => {
    writeFileSync(join(cwd, 'larder.config.ts'), 'export const port = 3000\n')
    await expect(gatherConfig({ cwd, environment: {}, flags: {} })).rejects.toThrow(
      'must say: export default { port: 3000, … }',
    )
  })

  it('a namespace in short form', () => {
    expect(parseNamespace('stock,commit,memoryMiB=512')).toEqual({
      name: 'stock',
      durability: 'commit',
      memoryMiB: 512,
    })
    expect(parseNamespace('shop,conflictResolutionPolicy=last-update-time')).toEqual({
      name: 'shop',
      conflictResolutionPolicy: 'last-update-time',
    })
    expect(() => parseNamespace('shop,conflictResolutionPolicy=newest')).toThrow(
      'conflictResolutionPolicy=generation|last-update-time',
    )
    expect(() => parseNamespace('stock,comit')).toThrow(
      'Namespace setting "comit" is not known; use none, flush, commit',
    )
  })
})
