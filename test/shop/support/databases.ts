import { execFileSync } from 'node:child_process'
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { available } from '../../support/requirement.ts'

export interface TestCluster {
  readonly url: string
  stop(): void
}

function binaryFolder(): string {
  const versions = readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a))
  return join('/usr/lib/postgresql', versions[0] ?? '', 'bin')
}

/** PostgreSQL in a temporary folder, reachable by its socket there alone. It refuses to run as root. */
export function startPostgres(): TestCluster {
  const bin = binaryFolder()
  const folder = mkdtempSync(join(tmpdir(), 'larder-pg-'))
  const isRoot = process.getuid?.() === 0
  const run = (name: string, ...args: string[]) => {
    const command = join(bin, name)
    const [file, all] = isRoot ? ['runuser', ['-u', 'postgres', '--', command, ...args]] : [command, args]
    return execFileSync(file, all, { stdio: ['ignore', 'ignore', 'inherit'], cwd: folder })
  }
  if (isRoot) {
    const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres']).toString()))
    chownSync(folder, uid!, gid!)
  }
  const data = join(folder, 'data')
  run('initdb', '-D', data, '-U', 'larder', '-A', 'trust', '--no-sync')
  run('pg_ctl', '-D', data, '-w', '-l', join(folder, 'log'), '-o', `-k ${folder} -h ''`, 'start')
  return {
    url: `postgres://larder@/postgres?host=${encodeURIComponent(folder)}`,
    stop: () => {
      run('pg_ctl', '-D', data, '-w', '-m', 'immediate', 'stop')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The two databases that every test of orders runs on. */
export const databaseKinds = [
  { name: 'PGlite', runs: true, start: (): TestCluster | undefined => undefined },
  {
    name: 'PostgreSQL',
    runs: available('postgresql', 'orders on PostgreSQL'),
    start: (): TestCluster | undefined => startPostgres(),
  },
] as const
