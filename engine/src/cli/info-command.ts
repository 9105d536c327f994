import { parseArgs } from 'node:util'
import type { Command } from './command.ts'
import { parseAddress } from './command.ts'
import { requestInfo } from './info-request.ts'

export const infoCommand: Command = {
  help: `larder info [NAME…] [--node host:port] [--lines]

Prints the value of each info command; without names those that say what the node is.
--lines breaks long values after each semicolon.

Examples:
  larder info
  larder info namespaces
  larder info statistics --lines
  larder info namespace/test --lines --node 127.0.0.1:3010
  larder info 'set-config:context=namespace;namespace=test;default-ttl=3600'
  larder info 'truncate:namespace=test;set=products'
`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { node: { type: 'string', default: '127.0.0.1:3000' }, lines: { type: 'boolean' } },
    })
    const names = positionals.length > 0 ? positionals : ['node', 'build', 'edition', 'namespaces', 'service']
    const answers = await requestInfo(parseAddress(values.node), names)
    let failed = false
    for (const [name, value] of answers) {
      failed ||= /^ERROR:/i.test(value)
      const text = values.lines ? value.split(';').filter(Boolean).join('\n') : value
      console.log(answers.size > 1 ? `${name}${values.lines ? '\n' : '\t'}${text}` : text)
    }
    return failed ? 1 : 0
  },
}
