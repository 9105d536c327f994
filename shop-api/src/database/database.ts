import { fileURLToPath } from 'node:url'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'
import { lockFolder } from './folder-lock.ts'
import { PgliteThread } from './pglite-thread.ts'
import * as schema from './schema.ts'

export type Sql = NodePgDatabase<typeof schema>
/** What a query runs on: the database, or a transaction of it. */
export type SqlSession = Pick<Sql, 'select' | 'insert' | 'update' | 'delete' | 'execute'>

export interface Database {
  readonly kind: 'pglite' | 'postgresql'
  readonly sql: Sql
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** A PostgreSQL to connect to, as in DATABASE_URL. */
  readonly url?: string | undefined
  /** Without a URL: the folder of the embedded database; without a folder it lives in memory. */
  readonly folder?: string | undefined
}

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url))
const POSTGRES_CONNECTIONS = 10
const CONNECT_TIMEOUT_MS = 10_000
/** Two stores that start at once must not both migrate: the lock's number is Larder's own. */
const MIGRATION_LOCK = 0x1a6de6

async function openPostgres(url: string): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    max: POSTGRES_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  })
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined)
  const client = await pool.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await migrate(drizzle(client, { schema }), { migrationsFolder: MIGRATIONS })
    await client.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK])
  } finally {
    client.release()
  }
  return { kind: 'postgresql', sql: drizzle(pool, { schema }), close: () => pool.end() }
}

async function openEmbedded(folder: string | undefined): Promise<Database> {
  const unlock = folder === undefined ? () => undefined : lockFolder(folder)
  try {
    const thread = await PgliteThread.start(folder)
    const pool = new pg.Pool({ max: 1, idleTimeoutMillis: 0, stream: () => thread.stream() })
    pool.on('error', () => undefined)
    const sql = drizzle(pool, { schema })
    await migrate(sql, { migrationsFolder: MIGRATIONS })
    return {
      kind: 'pglite',
      sql,
      close: async () => {
        await pool.end()
        await thread.close()
        unlock()
      },
    }
  } catch (error) {
    unlock()
    throw error
  }
}

/** Opens PostgreSQL where a URL is given, else the embedded PGlite, and brings its tables up to date. */
export function openDatabase(options: DatabaseOptions = {}): Promise<Database> {
  return options.url === undefined ? openEmbedded(options.folder) : openPostgres(options.url)
}
