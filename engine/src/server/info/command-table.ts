import { clusterCommands } from './cluster-commands.ts'
import { configCommands } from './config-commands.ts'
import { identityCommands } from './identity-commands.ts'
import { indexCommands } from './index-commands.ts'
import type { InfoCommand } from './info-command.ts'
import { latencyCommands } from './latency-commands.ts'
import { namespaceCommands } from './namespace-commands.ts'
import { operatorCommands } from './operator-commands.ts'
import { statisticsCommands } from './statistics-commands.ts'
import { truncateCommands } from './truncate-commands.ts'

/** Every info command this server knows. */
export const infoCommands: ReadonlyMap<string, InfoCommand> = new Map<string, InfoCommand>([
  ...Object.entries({
    ...identityCommands,
    ...clusterCommands,
    ...operatorCommands,
    ...namespaceCommands,
    ...configCommands,
    ...truncateCommands,
    ...statisticsCommands,
    ...latencyCommands,
    ...indexCommands,
  }),
  ['help', () => [...infoCommands.keys()].sort().join(';')],
])
