import { parseArgs } from 'node:util'
import { CurrencySchema, type Currency } from '../catalog/money.ts'
import { GENERATED_MAX_SKUS } from '../import/generator.ts'
import { STOCK_MAX_QUANTITY } from '../import/source.ts'
import { StartFailure } from './start-failure.ts'

export const help = `npm start -- [flags]

Starts three engine nodes and the store, imports a catalogue on the first start, and prints where everything is.

  --catalog FILE      import this catalogue: a Shopify product CSV (.csv), JSON Lines (.jsonl, .ndjson), or a folder
                      with catalog.json (and categories.json, stores.json) as published open data
  --generate N        import a generated catalogue of N SKUs instead
  --seed N            another generated catalogue (default 1)
  --dry-run           check the catalogue, report bad rows, import nothing
  --currency CODE     currency of a CSV's prices (default USD)
  --stock N           units of each SKU that the file names no stock for (default 25)
  --port N            port of the store (default 8080, or PORT)
  --host ADDRESS      address the store listens on (default 127.0.0.1, or HOST)
  --nodes N           engine nodes on this machine (default 3); fewer or more than before change places in order
  --engine-port N     port of the first engine node (default 3000); the others have 3010, 3020, …, and each a port two
                      above it for the other nodes
  --data FOLDER       where all data is kept (default .larder)
  --accept-damage     start on damaged engine files although records may be lost or old
  --help

DATABASE_URL names a PostgreSQL for the orders; without it an embedded one is used.
LARDER_OPERATOR_TOKEN is the token for moving stock; without it one is made and kept in the data folder.
A catalogue that is named takes the place of the present one; stock that is there keeps its numbers.

Examples:
  npm start
  npm start -- --nodes 5
  npm start -- --generate 100000 --data /tmp/large
  npm start -- --catalog products_export.csv --dry-run
`

export interface StartArguments {
  readonly help: boolean
  readonly catalog: string | undefined
  readonly generate: number | undefined
  readonly seed: number
  readonly dryRun: boolean
  readonly currency: Currency
  readonly defaultStock: number
  readonly port: number
  readonly host: string
  readonly nodes: number
  readonly enginePort: number
  readonly data: string
  readonly acceptDamage: boolean
}

const options = {
  catalog: { type: 'string' },
  generate: { type: 'string' },
  seed: { type: 'string', default: '1' },
  'dry-run': { type: 'boolean', default: false },
  currency: { type: 'string', default: 'USD' },
  stock: { type: 'string', default: '25' },
  port: { type: 'string' },
  host: { type: 'string' },
  nodes: { type: 'string', default: '3' },
  'engine-port': { type: 'string', default: '3000' },
  data: { type: 'string', default: '.larder' },
  'accept-damage': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

function wholeNumber(flag: string, text: string, low: number, high: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= low && value <= high))
    throw new StartFailure(`${flag} takes a whole number from ${low} to ${high}, not ${JSON.stringify(text)}`)
  return value
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new StartFailure(`${(error as Error).message} (npm start -- --help lists the flags)`)
  }
}

/** @throws StartFailure naming the flag that is wrong */
export function startArguments(args: readonly string[], environment: NodeJS.ProcessEnv): StartArguments {
  const values = parsed(args)
  const currency = CurrencySchema.safeParse(values.currency)
  if (!currency.success)
    throw new StartFailure(
      `--currency takes one of ${CurrencySchema.options.join(', ')}, not ${values.currency}`,
    )
  if (values.catalog !== undefined && values.generate !== undefined)
    throw new StartFailure('--catalog and --generate both name a catalogue; use one of them')
  return {
    help: values.help,
    catalog: values.catalog,
    generate:
      values.generate === undefined
        ? undefined
        : wholeNumber('--generate', values.generate, 1, GENERATED_MAX_SKUS),
    seed: wholeNumber('--seed', values.seed, 0, 2 ** 31),
    dryRun: values['dry-run'],
    currency: currency.data,
    defaultStock: wholeNumber('--stock', values.stock, 0, STOCK_MAX_QUANTITY),
    port: wholeNumber('--port', values.port ?? environment.PORT ?? '8080', 0, 65_535),
    host: values.host ?? environment.HOST ?? '127.0.0.1',
    nodes: wholeNumber('--nodes', values.nodes, 1, 16),
    enginePort: wholeNumber('--engine-port', values['engine-port'], 0, 65_535),
    data: values.data,
    acceptDamage: values['accept-damage'],
  }
}
