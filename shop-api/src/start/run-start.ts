import { join } from 'node:path'
import { ClientError, ResultCode } from '@larder/engine'
import { pino, type Logger } from 'pino'
import type { StockPort } from '../carts/stock-port.ts'
import { readCurrentEdition, type Edition } from '../catalog/edition.ts'
import { openDatabase } from '../database/database.ts'
import { listen } from '../http/http-server.ts'
import { outlineOf } from '../import/catalog-outline.ts'
import { BUNDLED_SKUS, generatedCatalog } from '../import/generator.ts'
import { importReport } from '../import/import-report.ts'
import { importCatalog } from '../import/importer.ts'
import { SourceError, openCatalogSource } from '../import/open-source.ts'
import { ProgressBar } from '../import/progress-bar.ts'
import type { CatalogSource } from '../import/source.ts'
import { TestPaymentProvider } from '../payment/test-provider.ts'
import type { Records } from '../records.ts'
import type { StockDeps } from '../stock/hold-service.ts'
import { stockPort } from '../stock/stock-service.ts'
import { createStore } from '../store.ts'
import type { StartArguments } from './arguments.ts'
import { makeDataFolder } from './data-folder.ts'
import type { EngineCluster, EngineClusterOptions } from './engine-cluster.ts'
import { operatorToken } from './operator-token.ts'
import { StartFailure, failureLine, listenFailure } from './start-failure.ts'

/** What the store reaches the engine through. */
export interface EngineConnection {
  readonly records: Records
  readonly stock: Pick<StockDeps, 'records' | 'intents' | 'layouts'>
  ping(): Promise<void>
  close(): Promise<void>
}

/** The outside world of a start, handed in. */
export interface StartWorld {
  readonly environment: NodeJS.ProcessEnv
  readonly out: { write(text: string): unknown; readonly isTTY?: boolean }
  readonly now: () => number
  startEngine(options: EngineClusterOptions): Promise<EngineCluster>
  connect(addresses: readonly string[]): Promise<EngineConnection>
}

export interface RunningStore {
  readonly url: string
  /** Resolves with a reason when the store cannot go on. */
  readonly ended: Promise<string>
  close(): Promise<void>
}

/** Things to undo, the last one first. */
class Undo {
  readonly #steps: (() => Promise<unknown>)[] = []

  add(step: () => Promise<unknown>): void {
    this.#steps.push(step)
  }

  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) await step()
  }
}

async function namedSource(args: StartArguments): Promise<CatalogSource | undefined> {
  if (args.generate !== undefined) return generatedCatalog(args.generate, args.seed)
  if (args.catalog === undefined) return undefined
  try {
    return await openCatalogSource(args.catalog, args.currency)
  } catch (error) {
    if (error instanceof SourceError) throw new StartFailure(error.message)
    throw error
  }
}

async function checked(source: CatalogSource, world: StartWorld) {
  const bar = new ProgressBar(world.out, 'Checking the catalogue ', source.total, world.now)
  const outline = await outlineOf(source, bar.update)
  bar.end()
  world.out.write(`${importReport(source.name, outline)}\n`)
  if (outline.problemCount > 0)
    throw new StartFailure(
      `${source.name} has ${outline.problemCount} bad rows: correct them, or try with --dry-run`,
    )
  return outline
}

/** Checks what `--catalog` or `--generate` names, and starts nothing. */
export async function dryRun(args: StartArguments, world: StartWorld): Promise<void> {
  await checked((await namedSource(args)) ?? generatedCatalog(BUNDLED_SKUS, args.seed), world)
}

interface ImportTarget {
  readonly records: Records
  readonly stock: StockPort
}

/** Nodes that have just started may have much to tell each other before they answer. */
const FIRST_ANSWER_MS = 60_000

async function patiently<T>({ now }: StartWorld, read: () => Promise<T>): Promise<T> {
  for (const until = now() + FIRST_ANSWER_MS; ;)
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof ClientError && error.code === ResultCode.TIMEOUT) || now() >= until) throw error
    }
}

/** Imports the catalogue that is named, and the bundled one where there is none at all. */
async function importIfNeeded(
  args: StartArguments,
  world: StartWorld,
  target: ImportTarget,
): Promise<Edition> {
  const present = await patiently(world, () => readCurrentEdition(target.records))
  const named = await namedSource(args)
  if (present && (named === undefined || named.name === present.source)) return present
  const source = named ?? generatedCatalog(BUNDLED_SKUS, args.seed)
  const outline = await checked(source, world)
  const bar = new ProgressBar(world.out, 'Importing the catalogue', source.total, world.now)
  const options = { ...target, now: world.now, defaultStock: args.defaultStock }
  const edition = await importCatalog(source, outline, options, bar.update)
  bar.end()
  return edition
}

/**
 * Starts everything in order, engine first, and stops it in the opposite order; when a step fails, what has been
 * started is stopped again.
 *
 * @throws StartFailure with one line for the person who started it
 */
export async function runStart(args: StartArguments, world: StartWorld): Promise<RunningStore> {
  const undo = new Undo()
  try {
    return await startParts(args, world, undo)
  } catch (error) {
    await undo.run()
    throw error instanceof StartFailure
      ? error
      : new StartFailure(failureLine(error, 'The store did not start'))
  }
}

async function startParts(args: StartArguments, world: StartWorld, undo: Undo): Promise<RunningStore> {
  const log: Logger = pino({ level: world.environment.LOG_LEVEL ?? 'warn' })
  await makeDataFolder(args.data)
  const operator = await operatorToken(args.data, world.environment)
  const onLine = (line: string) => void world.out.write(`engine: ${line}\n`)
  const engine = await world.startEngine({
    nodes: args.nodes,
    port: args.enginePort,
    folder: join(args.data, 'engine'),
    acceptDamage: args.acceptDamage,
    onLine,
  })
  undo.add(() => engine.stop())
  const connection = await world.connect(engine.addresses)
  undo.add(() => connection.close())
  const url = world.environment.DATABASE_URL
  const database = await openDatabase(url === undefined ? { folder: join(args.data, 'orders') } : { url })
  undo.add(() => database.close())

  const stock: StockDeps = { ...connection.stock, now: world.now, log }
  const edition = await importIfNeeded(args, world, { records: connection.records, stock: stockPort(stock) })
  const store = createStore({
    records: connection.records,
    stock,
    database,
    payment: new TestPaymentProvider({ sql: database.sql, now: world.now }),
    log,
    now: world.now,
    operatorToken: operator.token,
    pingEngine: () => connection.ping(),
  })
  undo.add(() => store.close())
  const server = await listen(store.app, args.host, args.port).catch((error: unknown) => {
    throw listenFailure(error, args.host, args.port)
  })
  undo.add(() => server.close())

  world.out.write(
    [
      '',
      `  Storefront         ${server.url}/`,
      `  API                ${server.url}/products`,
      `  API documentation  ${server.url}/docs`,
      '',
      `  ${edition.products} products, ${edition.skus} SKUs (${edition.source})`,
      `  ${engine.addresses.length === 1 ? 'Engine node' : `${engine.addresses.length} engine nodes`} at ${engine.addresses.join(', ')}; orders in ${database.kind}, data in ${args.data}. Ctrl-C stops it all.`,
      `  The operator's token, for moving stock, is in ${operator.from}.`,
      '',
    ].join('\n'),
  )
  return { url: server.url, ended: engine.ended, close: () => undo.run() }
}
