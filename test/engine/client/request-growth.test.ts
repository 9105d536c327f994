import { describe, expect, it } from 'vitest'
import {
  binsCommand,
  deleteCommand,
  operateCommand,
  readCommand,
} from '../../../engine/src/client/command.ts'
import { BatchWriter, writeKeyDigest, writeRecordRequest } from '../../../engine/src/client/request-writer.ts'
import { exp } from '../../../engine/src/protocol/expression-builder.ts'
import { Op } from '../../../engine/src/protocol/message.ts'
import { op } from '../../../engine/src/protocol/operation-builder.ts'
import { ByteWriter } from '../../../engine/src/values/byte-writer.ts'

/** What is written must not depend on where the writer's buffer had to grow. */
function sameFromEverySize(write: (to: ByteWriter) => void): void {
  const roomy = new ByteWriter(1 << 16)
  write(roomy)
  const whole = roomy.buffer.subarray(0, roomy.length)
  for (let size = 1; size <= roomy.length; size++) {
    const tight = new ByteWriter(size)
    write(tight)
    expect(tight.buffer.subarray(0, tight.length).equals(whole), `from ${size} bytes`).toBe(true)
  }
}

describe('a request whose buffer grows while it is written', () => {
  const key = { namespace: 'test', set: 'grown', key: 'a key' }
  const filter = exp.eq(exp.stringBin('name'), exp.string('x'.repeat(50)))

  it('is the same record request', () => {
    sameFromEverySize((to) =>
      writeRecordRequest(
        to,
        key,
        binsCommand(
          Op.WRITE,
          { a: 1, text: 'héllo ☃', list: ['x'] },
          { filter, sendKey: true, ttl: 60 },
          'put',
        ),
        1000,
      ),
    )
  })

  it('is the same batch', () => {
    const rows = Array.from({ length: 12 }, (_, i) => ({
      key: { ...key, set: `set ${i}`, key: i },
      command: [
        readCommand(['a'], { filter }),
        operateCommand([op.add('n', i)], { generation: 7, ttl: 60, sendKey: true }),
        deleteCommand({}),
      ][i % 3]!,
    }))
    const digests = Buffer.alloc(rows.length * 20)
    rows.forEach((row, i) => writeKeyDigest(digests, i * 20, row.key))
    sameFromEverySize((to) => {
      const batch = new BatchWriter(to, 1000)
      rows.forEach((row, i) => batch.add(row, i, digests, i * 20))
      batch.end()
    })
  })
})
