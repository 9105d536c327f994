import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const source = resolve(import.meta.dirname, '../../engine/src')

const mayImport: Record<string, readonly string[]> = {
  values: [],
  protocol: ['values'],
  storage: ['values'],
  operations: ['values', 'protocol'],
  namespace: ['storage', 'operations', 'protocol', 'values'],
  cluster: ['namespace', 'storage', 'operations', 'protocol', 'values'],
  server: ['cluster', 'namespace', 'storage', 'operations', 'protocol', 'values'],
  client: ['protocol', 'values'],
  simulator: ['server', 'cluster', 'namespace', 'storage', 'operations', 'protocol', 'values'],
  cli: ['server', 'client', 'protocol', 'values'],
}

/** Folders whose code must be drivable from a seed: time, randomness, disk and network are handed in. */
const pure = ['values', 'protocol', 'storage', 'operations', 'namespace', 'cluster']
const reachesOut =
  /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bMath\.random\(|\bset(Timeout|Interval|Immediate)\(|node:(net|dgram|fs|http|child_process|worker_threads|timers)/

function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) =>
    relative(source, resolve(dirname(file), match[1]!)),
  )
}

export function violations(file: string, imports: readonly string[]): string[] {
  const from = relative(source, file).split('/')[0]!
  const allowed = mayImport[from]
  if (!allowed) return []
  return imports
    .map((target) => target.split('/')[0]!)
    .filter((to) => to !== from && !allowed.includes(to))
    .map((to) => `${relative(source, file)} imports from ${to}/`)
}

describe('layering', () => {
  const files = filesOf(source)

  it('every folder imports only from the folders its row of the design names', () => {
    expect(files.flatMap((file) => violations(file, importsOf(file)))).toEqual([])
  })

  it('every folder of the engine has a row', () => {
    const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(folders.map((entry) => entry.name).filter((name) => !(name in mayImport))).toEqual([])
  })

  it('what decides is handed its time, randomness, disk and network', () => {
    const found = files
      .filter((file) => pure.includes(relative(source, file).split('/')[0]!))
      .filter((file) => reachesOut.test(readFileSync(file, 'utf8')))
    expect(found.map((file) => relative(source, file))).toEqual([])
  })

  it('sees an import that points the wrong way', () => {
    expect(violations(join(source, 'values/x.ts'), ['server/node.ts'])).toEqual([
      'values/x.ts imports from server/',
    ])
  })
})
