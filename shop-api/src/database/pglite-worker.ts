import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'

/**
 * The embedded database on a thread of its own, so that its SQL never holds up a request. It answers batches of
 * PostgreSQL's wire protocol, one after the other, which is all that a connection pool of one needs.
 */

export interface PgliteWorkerData {
  /** Where the data lies; undefined keeps it in memory. */
  readonly folder: string | undefined
}

export type PgliteRequest =
  { readonly kind: 'batch'; readonly bytes: Uint8Array } | { readonly kind: 'close' }

export type PgliteAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'closed' }

/** A folder that was killed during its first initialisation must not look like a database, hence the rename. */
async function initialise(folder: string): Promise<void> {
  if (existsSync(folder)) return
  const unfinished = `${folder}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(dirname(folder), { recursive: true })
  const fresh = await PGlite.create(unfinished)
  await fresh.close()
  await rename(unfinished, folder)
}

async function serve(port: NonNullable<typeof parentPort>, { folder }: PgliteWorkerData): Promise<void> {
  const send = (answer: PgliteAnswer) => {
    port.postMessage(answer)
  }
  let database: PGlite
  try {
    if (folder !== undefined) await initialise(folder)
    database = await PGlite.create(folder === undefined ? {} : { dataDir: folder })
  } catch (error) {
    send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
    return
  }
  let turn = Promise.resolve()
  port.on('message', (request: PgliteRequest) => {
    turn = turn.then(async () => {
      if (request.kind === 'batch')
        send({ kind: 'bytes', bytes: await database.execProtocolRaw(request.bytes) })
      else {
        await database.close()
        send({ kind: 'closed' })
        port.close()
      }
    })
    turn.catch((error: unknown) => {
      send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
    })
  })
  send({ kind: 'ready' })
}

if (parentPort) await serve(parentPort, workerData as PgliteWorkerData)
