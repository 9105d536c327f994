import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

const SUFFIX = '.jsonl.gz'

/** Where the transcripts are: the folder named by GOLDEN, else beside the repository. */
export const goldenFolder = resolve(process.env.GOLDEN ?? join(import.meta.dirname, '../../../shared/golden'))

const hand = [
  'record',
  'ttl',
  'batch',
  'frames',
  'list',
  'map',
  'nested',
  'wide',
  'bit',
  'hll',
  'exp',
  'random',
].map((topic) => `hand-${topic}`)

/** Topics of the two node suites. */
const suite = [
  'batch_exists',
  'batch_get',
  'batch_read',
  'batch_remove',
  'batch_select',
  'batch_write',
  'bitwise',
  'cdt_context',
  'client',
  'command_queue',
  'exists',
  'exp',
  'exp_bit',
  'exp_hll',
  'exp_list',
  'exp_map',
  'geojson',
  'get',
  'hll',
  'key',
  'lists',
  'maps',
  'operate',
  'path_expressions',
  'path_operations',
  'put',
  'remove',
  'remove_bin',
  'select',
  'stats',
  'timeout_delay',
  'connect_timeout',
  'circuit_breaker',
  'replica_random',
]

/** What must replay without a difference, by now. */
const required = new Set([
  ...hand,
  ...suite.flatMap((topic) => [`node-6.3.0-${topic}`, `node-6.7.1-${topic}`]),
])

/** Exchanges that need what is not there yet: how many may differ in a file, and what they need. */
interface Later {
  readonly exchanges: number
  readonly needs: string
}

const later: Readonly<Record<string, Later>> = {
  'node-6.3.0-command_queue': {
    exchanges: 7,
    needs: 'a secondary index: sindex-create, sindex/NS/NAME, 5 queries',
  },
  'node-6.3.0-stats': { exchanges: 1, needs: 'a scan' },
  'node-6.7.1-stats': { exchanges: 1, needs: 'a scan' },
  'node-6.7.1-circuit_breaker': { exchanges: 356, needs: 'scans: all but the first two exchanges' },
  'node-6.7.1-timeout_delay': { exchanges: 2, needs: 'user-defined functions: udf-put, udf-list' },
  'node-6.7.1-exp': { exchanges: 8, needs: 'user-defined functions: udf-put, udf-list, 4 batches of calls' },
  'node-6.7.1-batch_write': { exchanges: 2, needs: 'user-defined functions: udf-put, udf-list' },
}

export const laterCapability = (name: string): Later | undefined => later[name]

export const isRequired = (name: string): boolean => required.has(name)

export const goldenPath = (name: string): string => join(goldenFolder, name + SUFFIX)

/** All transcripts there are, by name. */
export function goldenFiles(): string[] {
  if (!existsSync(goldenFolder)) return []
  return readdirSync(goldenFolder)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .sort()
}
