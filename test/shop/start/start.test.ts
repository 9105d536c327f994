import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { startArguments } from '../../../shop-api/src/start/arguments.ts'
import { startCommand, type CommandWorld } from '../../../shop-api/src/start/command.ts'
import { startEngine } from '../../../shop-api/src/start/engine-process.ts'
import { dryRun, runStart, type StartWorld } from '../../../shop-api/src/start/run-start.ts'
import { MemoryRecords } from '../support/memory-records.ts'
import { StockModel } from '../support/stock-model.ts'

const folder = mkdtempSync(join(tmpdir(), 'larder-start-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A world whose engine is a program in place of the larder command, and whose records outlive a start. */
class World implements StartWorld {
  readonly environment = { LOG_LEVEL: 'silent' }
  text = ''
  readonly out = { write: (text: string) => (this.text += text) }
  readonly now = Date.now
  readonly records = new MemoryRecords()
  readonly model = new StockModel()
  readonly #program: string
  readonly stopped: string[] = []

  constructor(program: string) {
    this.#program = join(folder, `engine-${Math.random()}.mjs`)
    writeFileSync(this.#program, program)
  }

  startEngine: StartWorld['startEngine'] = async (options) => {
    const engine = await startEngine({ ...options, command: this.#program })
    const addresses = [engine.address]
    const stop = async () => {
      await engine.stop()
      this.stopped.push('engine')
    }
    return { addresses, ended: engine.ended, stop }
  }

  connect: StartWorld['connect'] = async () => ({
    records: this.records,
    stock: { records: this.model, intents: this.model, layouts: this.model },
    ping: async () => {},
    close: async () => void this.stopped.push('connection'),
  })
}

const serving = `console.log('Node 1 serves 127.0.0.1:4711; namespaces: shop, stock'); setInterval(() => {}, 1000)`
const args = (...given: string[]) => startArguments([...given, '--data', join(folder, 'data')], {})

describe('arguments', () => {
  it.each([
    [['--port', '70000'], /--port takes a whole number from 0 to 65535, not "70000"/],
    [['--generate', '1e9'], /--generate takes a whole number/],
    [['--currency', 'XXX'], /--currency takes one of USD/],
    [['--catalog', 'a.csv', '--generate', '5'], /use one of them/],
    [['--nonsense'], /Unknown option '--nonsense'.*--help/s],
  ])('%j are refused in one line that says what to do', (given, message) => {
    expect(() => startArguments(given, {})).toThrow(message)
  })

  it('have defaults, the environment, and flags above it', () => {
    expect(startArguments([], {})).toMatchObject({ port: 8080, enginePort: 3000, data: '.larder' })
    expect(startArguments([], { PORT: '9000' }).port).toBe(9000)
    expect(startArguments(['--port', '1'], { PORT: '9000' }).port).toBe(1)
  })
})

describe('a start', () => {
  it('imports once, prints where everything is, stops in order, and finds all again', async () => {
    const world = new World(serving)
    const first = await runStart(args('--generate', '40', '--port', '0'), world)
    expect(world.text).toContain(`Storefront         ${first.url}/`)
    expect(world.text).toContain('Importing the catalogue done')
    expect((await fetch(`${first.url}/ready`)).status).toBe(200)
    const page = await (await fetch(`${first.url}/products?limit=3`)).json()
    await first.close()
    expect(world.stopped).toEqual(['connection', 'engine'])
    await expect(fetch(first.url)).rejects.toThrow()

    world.text = ''
    const writes = world.records.writes
    const second = await runStart(args('--port', '0'), world)
    expect(world.text).not.toContain('Importing')
    expect(world.records.writes).toBe(writes)
    expect(await (await fetch(`${second.url}/products?limit=3`)).json()).toEqual(page)
    await second.close()
  })

  it('makes the operator a token that only this user can read, keeps it, and says where it is', async () => {
    const data = join(folder, 'token')
    const start = async (environment: NodeJS.ProcessEnv) => {
      const world = new World(serving)
      Object.assign(world.environment, environment)
      const store = await runStart(
        startArguments(['--generate', '5', '--port', '0', '--data', data], {}),
        world,
      )
      const text = world.text
      const move = async (token: string) => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
        return (await fetch(`${store.url}/stock/X/movements`, { method: 'POST', headers, body: '{}' })).status
      }
      return { text, move, close: () => store.close() }
    }
    const first = await start({})
    const file = join(data, 'operator-token')
    expect(first.text).toContain(`token, for moving stock, is in ${file}`)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const token = readFileSync(file, 'utf8').trim()
    expect(token).toMatch(/^[\w-]{32}$/)
    expect(first.text).not.toContain(token)
    expect(await first.move(token)).toBe(422)
    await first.close()

    const second = await start({})
    expect(await second.move(token)).toBe(422)
    await second.close()

    const given = await start({ LARDER_OPERATOR_TOKEN: 'a-token-from-elsewhere' })
    expect(given.text).toContain('LARDER_OPERATOR_TOKEN')
    expect(await given.move(token)).toBe(403)
    expect(await given.move('a-token-from-elsewhere')).toBe(422)
    await given.close()

    await expect(start({ LARDER_OPERATOR_TOKEN: 'short' })).rejects.toThrow('16 to 200 visible ASCII')
    writeFileSync(file, '\n')
    await expect(start({})).rejects.toThrow('correct it or remove it')
  })

  it('says which port is in use, and leaves nothing running', async () => {
    const world = new World(serving)
    const first = await runStart(args('--generate', '5', '--port', '0'), world)
    const other = new World(serving)
    const port = new URL(first.url).port
    const second = startArguments(['--generate', '5', '--port', port, '--data', join(folder, 'other')], {})
    await expect(runStart(second, other)).rejects.toThrow(
      `Port ${port} is in use by another program; stop it`,
    )
    expect(other.stopped).toEqual(['connection', 'engine'])
    await first.close()
  })

  it('says when another store has the data folder', async () => {
    const first = await runStart(args('--generate', '5', '--port', '0'), new World(serving))
    await expect(runStart(args('--port', '0'), new World(serving))).rejects.toThrow(/in use by process \d+/)
    await first.close()
  })

  it('passes on the engine’s own line when the engine does not start', async () => {
    const world = new World(
      `console.error('Port 127.0.0.1:3000 is in use by another program; choose another with --port'); process.exit(1)`,
    )
    await expect(runStart(args('--port', '0'), world)).rejects.toThrow(
      'Port 127.0.0.1:3000 is in use by another program; choose another with --engine-port',
    )
  })

  it('takes the engine with it when it is killed', async () => {
    const module = JSON.stringify(join(import.meta.dirname, '../../../shop-api/src/start/engine-process.ts'))
    const options = JSON.stringify({ port: 0, folder: join(folder, 'orphan') })
    const script = `import { startEngine } from ${module}
      console.log((await startEngine(${options})).pid)
      setInterval(() => {}, 1000)`
    const store = spawn(process.execPath, ['--input-type=module', '-e', script])
    const [line] = (await once(store.stdout, 'data')) as [Buffer]
    const engine = Number(line.toString())
    expect(process.kill(engine, 0)).toBe(true)
    store.kill('SIGKILL')
    await vi.waitUntil(
      () => {
        try {
          return !process.kill(engine, 0)
        } catch {
          return true
        }
      },
      { timeout: 20_000, interval: 50 },
    )
  })

  it('notices when the engine dies', async () => {
    const world = new World(`${serving}; setTimeout(() => process.exit(3), 1500)`)
    const store = await runStart(args('--generate', '5', '--port', '0'), world)
    expect(await store.ended).toContain('exit code 3')
    await store.close()
  })
})

describe('npm start', () => {
  class Command extends World implements CommandWorld {
    errors = ''
    readonly err = { write: (text: string) => (this.errors += text) }
    readonly process = Object.assign(new EventEmitter(), {
      exit: (code: number) => this.stopped.push(`exit ${code}`),
    })
  }
  const flags = (...given: string[]) => [...given, '--data', join(folder, 'data'), '--port', '0']
  const url = (command: Command) => /Storefront +(\S+)\//.exec(command.text)?.[1]

  it('runs until Ctrl-C, then stops everything', async () => {
    const command = new Command(serving)
    const ended = startCommand(flags('--generate', '5'), command)
    await vi.waitUntil(() => url(command), { timeout: 20_000 })
    expect((await fetch(`${url(command)}/health`)).status).toBe(200)
    command.process.emit('SIGINT')
    expect(await ended).toBe(0)
    expect(command.stopped).toEqual(['connection', 'engine'])
    await expect(fetch(url(command)!)).rejects.toThrow()
  })

  it('does not wait after a second Ctrl-C', async () => {
    const command = new Command(serving)
    const ended = startCommand(flags('--generate', '5'), command)
    await vi.waitUntil(() => url(command), { timeout: 20_000 })
    command.process.emit('SIGINT')
    command.process.emit('SIGINT')
    expect(command.stopped[0]).toBe('exit 130')
    await ended
  })

  it('ends with 1 and one line when it cannot start', async () => {
    const command = new Command(
      `console.error('The folder x belongs to another running node'); process.exit(1)`,
    )
    expect(await startCommand(flags(), command)).toBe(1)
    expect(command.errors).toBe('The folder x belongs to another running node\n')
    expect(await startCommand(['--port', 'x'], command)).toBe(1)
    expect(command.errors.split('\n')).toHaveLength(3)
  })

  it('explains itself', async () => {
    const command = new Command('')
    expect(await startCommand(['--help'], command)).toBe(0)
    expect(command.text).toContain('--catalog FILE')
  })
})

describe('a dry run', () => {
  it('reports bad rows and starts nothing', async () => {
    const world = new World('process.exit(1)')
    writeFileSync(join(folder, 'bad.jsonl'), '{"title":"x"}\n')
    await expect(dryRun(args('--catalog', join(folder, 'bad.jsonl'), '--dry-run'), world)).rejects.toThrow(
      '1 bad rows',
    )
    expect(world.text).toContain('line 1: variants')
    await expect(dryRun(args('--catalog', join(folder, 'none.csv')), world)).rejects.toThrow(
      'There is no catalogue file',
    )
    expect(world.records.stored.size).toBe(0)
  })
})
