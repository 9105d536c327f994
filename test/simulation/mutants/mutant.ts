/**
 * A mutant is the source with one rule taken out. It is applied to a temporary copy of engine/src, and that copy's own
 * simulator is run until it notices.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

interface Patch {
  /** Below engine/src. */
  readonly file: string
  /** Stands there exactly once. */
  readonly find: string
  readonly replace: string
}

export interface Mutant extends Patch {
  readonly name: string
  readonly also?: readonly Patch[]
  /** Kind of run that notices. */
  readonly kind: 'membership' | 'losses' | 'splits' | 'strong' | 'scenes' | 'strong-cluster'
  /** The first seed that is known to notice. */
  readonly seed: number
  /** Pattern of what is reported. */
  readonly breaks: string
}

/** A rule of which no run is known that shows its absence. */
export interface UnseenMutant extends Omit<Mutant, 'seed' | 'breaks'> {
  /** Why the rule stays, and why nothing shows it. */
  readonly because: string
}

const top = resolve(import.meta.dirname, '../../..')

/** Runs the known seed and up to that many more; answers what was printed, and whether anything was noticed. */
export function runMutant(
  mutant: Mutant,
  runs: number,
  milliseconds: number,
): { readonly noticed: boolean; readonly printed: string } {
  const folder = mkdtempSync(join(tmpdir(), 'larder-mutant-'))
  try {
    cpSync(join(top, 'engine'), join(folder, 'engine'), {
      recursive: true,
      filter: (path) => !path.includes('node_modules'),
    })
    symlinkSync(join(top, 'node_modules'), join(folder, 'node_modules'))
    for (const patch of [mutant, ...(mutant.also ?? [])]) apply(patch, folder)
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        join(folder, 'engine/src/simulator/simulate.ts'),
        ...['--kind', mutant.kind, '--seed', `${mutant.seed}`, '--runs', `${runs}`, '--lines', '1'],
      ],
      { encoding: 'utf8', maxBuffer: 1 << 26, timeout: milliseconds },
    )
    const printed = `${stdout.slice(stdout.lastIndexOf('\nseed '))}${stderr.slice(0, 2000)}`
    return { noticed: status === 1, printed }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function apply({ file, find, replace }: Patch, folder: string): void {
  const path = join(folder, 'engine/src', file)
  const text = readFileSync(path, 'utf8')
  if (text.split(find).length !== 2) throw new Error(`${file} must hold exactly once: ${find}`)
  writeFileSync(
    path,
    text.replace(find, () => replace),
  )
}
