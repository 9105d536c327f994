import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

const SUFFIX = '.jsonl.gz'

/** Where the transcripts are: the folder named by GOLDEN, else beside the repository. */
export const goldenFolder = resolve(process.env.GOLDEN ?? join(import.meta.dirname, '../../../shared/golden'))

const hand = ['record', 'ttl', 'batch', 'frames', 'list', 'map', 'nested', 'wide'].map(
  (topic) => `hand-${topic}`,
)

/** Topics of the two node suites. */
const suite = [
  'batch_exists',
  'batch_get',
  'batch_read',
  'batch_remove',
  'batch_select',
  'batch_write',
  'cdt_context',
  'client',
  'command_queue',
  'exists',
  'get',
  'key',
  'lists',
  'maps',
  'operate',
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
