/**
 * The same CPU for each of several processes: a cgroup with a quota (`cpu.max` of version 2, `cpu.cfs_quota_us` of
 * version 1). Its period is short, so that a process that has used up its share waits milliseconds, not a tenth of a
 * second.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const periodMicros = 10_000
const hierarchies = ['/sys/fs/cgroup', '/sys/fs/cgroup/cpu', '/sys/fs/cgroup/cpu,cpuacct']

export interface Throttling {
  /** Periods in which the process wanted to run, and those in which it had to wait. */
  readonly periods: number
  readonly throttled: number
}

let made = 0

export class CpuQuota {
  readonly #folder: string

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** A whole core until it is told less; undefined where this machine does not let us. */
  static create(): CpuQuota | undefined {
    for (const hierarchy of hierarchies) {
      const folder = join(hierarchy, `larder-bench-${process.pid}-${made++}`)
      try {
        mkdirSync(folder)
      } catch {
        continue
      }
      const quota = new CpuQuota(folder)
      if (quota.limit(1)) return quota
      quota.remove()
    }
    return undefined
  }

  /** A command that runs another one under the quota. */
  command(command: string, args: readonly string[]): [string, string[]] {
    const file = join(this.#folder, 'cgroup.procs')
    return ['sh', ['-c', `echo $$ > '${file}' && exec "$@"`, 'sh', command, ...args]]
  }

  throttling(): Throttling {
    const fields = new Map(
      readFileSync(join(this.#folder, 'cpu.stat'), 'utf8')
        .split('\n')
        .map((line): [string, number] => [line.split(' ')[0]!, Number(line.split(' ')[1])]),
    )
    return { periods: fields.get('nr_periods') ?? 0, throttled: fields.get('nr_throttled') ?? 0 }
  }

  /** Once its processes have ended. */
  remove(): void {
    rmdirSync(this.#folder)
  }

  /** `share` of one core from now on; false where this machine does not let us. */
  limit(share: number): boolean {
    const quotaMicros = Math.round(share * periodMicros)
    const files: Record<string, string> = existsSync(join(this.#folder, 'cpu.max'))
      ? { 'cpu.max': `${quotaMicros} ${periodMicros}` }
      : { 'cpu.cfs_period_us': `${periodMicros}`, 'cpu.cfs_quota_us': `${quotaMicros}` }
    try {
      for (const [name, value] of Object.entries(files)) {
        const file = join(this.#folder, name)
        if (!existsSync(file)) return false
        writeFileSync(file, value)
      }
      return true
    } catch {
      return false
    }
  }
}
