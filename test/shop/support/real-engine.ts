import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, startNode, type Client, type Node } from '@larder/engine'
import { SimulatedDisk } from '../../../engine/src/simulator/disk.ts'
import { connectionOver } from '../../../shop-api/src/start/engine-connection.ts'
import { startEngine } from '../../../shop-api/src/start/engine-process.ts'
import type { EngineConnection } from '../../../shop-api/src/start/run-start.ts'

/** The engine as `npm start` runs it: a process of its own with files, reached over TCP. */
export async function startRealEngine(): Promise<EngineConnection & { readonly address: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'larder-engine-'))
  const engine = await startEngine({ port: 0, folder })
  const connection = connectionOver(await connect({ hosts: [engine.address] }))
  return {
    ...connection,
    address: engine.address,
    close: async () => {
      await connection.close()
      await engine.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A node in this process, in memory alone: quick to start, for tests that want one each. */
export async function startEmbeddedEngine(): Promise<EngineConnection> {
  const namespaces = ['shop', 'stock'].map((name) => ({ name, memoryMiB: 64 }))
  const node = await startNode({ port: 0, namespaces })
  const connection = connectionOver(await connect({ node }))
  return {
    ...connection,
    close: async () => {
      await connection.close()
      await node.close()
    },
  }
}

/** A node in this process on a disk that forgets, and a connection that goes on with the next one after a failure. */
export class FailingEngine {
  readonly #random: () => number
  #disk: SimulatedDisk
  #client!: Client
  #node!: Node
  connection!: EngineConnection

  private constructor(random: () => number) {
    this.#random = random
    this.#disk = new SimulatedDisk({ random })
  }

  static async start(random: () => number): Promise<FailingEngine> {
    const engine = new FailingEngine(random)
    await engine.#start()
    const current = {
      get: (...args: Parameters<Client['get']>) => engine.#client.get(...args),
      getNow: (...args: Parameters<Client['getNow']>) => engine.#client.getNow(...args),
      getMany: (...args: Parameters<Client['getMany']>) => engine.#client.getMany(...args),
      put: (...args: Parameters<Client['put']>) => engine.#client.put(...args),
      remove: (...args: Parameters<Client['remove']>) => engine.#client.remove(...args),
      operate: (...args: Parameters<Client['operate']>) => engine.#client.operate(...args),
      info: (command: string) => engine.#client.info(command),
      close: () => engine.#client.close(),
    }
    engine.connection = connectionOver(current)
    return engine
  }

  /** The power fails: what was not synced is forgotten as chance wills. Then a new node starts on what is left. */
  async losePower(): Promise<void> {
    this.#disk = this.#disk.losePower({ random: this.#random })
    await this.#client.close()
    await this.#start()
  }

  async close(): Promise<void> {
    await this.#client.close()
    await this.#node.close()
  }

  async #start(): Promise<void> {
    const namespaces = [
      { name: 'shop', durability: 'flush' },
      { name: 'stock', durability: 'commit' },
    ] as const
    this.#node = await startNode({ port: 0, folder: '/data', namespaces }, { disk: this.#disk })
    this.#client = await connect({ node: this.#node, timeout: 300 })
  }
}
