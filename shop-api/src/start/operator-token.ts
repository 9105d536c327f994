import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StartFailure } from './start-failure.ts'

const TOKEN = /^[\x21-\x7e]{16,200}$/

export interface OperatorToken {
  readonly token: string
  /** Where its owner finds it. */
  readonly from: string
}

/**
 * The token of whoever keeps the stock: LARDER_OPERATOR_TOKEN, or the one in the data folder, which the first start
 * makes and only this user can read.
 *
 * @throws StartFailure when there is one and it cannot be used
 */
export async function operatorToken(folder: string, environment: NodeJS.ProcessEnv): Promise<OperatorToken> {
  const given = environment.LARDER_OPERATOR_TOKEN
  if (given !== undefined) return checked(given, 'LARDER_OPERATOR_TOKEN')
  const file = join(folder, 'operator-token')
  await mkdir(folder, { recursive: true })
  try {
    const token = randomBytes(24).toString('base64url')
    await writeFile(file, `${token}\n`, { mode: 0o600, flag: 'wx' })
    return { token, from: file }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    return checked((await readFile(file, 'utf8')).trim(), file)
  }
}

function checked(token: string, from: string): OperatorToken {
  if (TOKEN.test(token)) return { token, from }
  throw new StartFailure(`${from} must hold 16 to 200 visible ASCII characters; correct it or remove it`)
}
