import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { NamespaceConfig } from '@larder/engine'
import { goldenFolder } from './files.ts'

export interface Exchange {
  readonly test: string
  readonly type: string
  readonly req: string
}

export interface Golden {
  readonly meta: { readonly node: string; readonly namespaces: string; readonly exchanges: number }
  readonly exchanges: readonly Exchange[]
}

export interface Outcome {
  readonly test: string
  readonly diffs: readonly string[]
  readonly unstable: boolean
}

/** The part of the transcripts' own replayer that we use; it lies beside them and has no types. */
export interface Replayer {
  readGolden(file: string): Golden
  replay(golden: Golden, target: { host: string; port: number }): Promise<Outcome[]>
  describe(type: string, request: Buffer): string
}

export async function loadReplayer(): Promise<Replayer> {
  return (await import(pathToFileURL(join(goldenFolder, 'replay.mjs')).href)) as Replayer
}

/** The namespaces of a transcript's meta line, which is in the real server's configuration language. */
export function namespacesOf(text: string): NamespaceConfig[] {
  return [...text.matchAll(/^namespace (\S+) \{\n([\s\S]*?)^\}/gm)].map(([, name, body]) => ({
    name: name!,
    memoryMiB: 256,
    nsupPeriod: numberOf(body!, 'nsup-period'),
    defaultTtl: numberOf(body!, 'default-ttl'),
  }))
}

function numberOf(body: string, setting: string): number {
  return Number(new RegExp(`^\\s*${setting} (\\d+)`, 'm').exec(body)?.[1] ?? 0)
}
