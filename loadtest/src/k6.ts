import { execFile, spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const moduleFolder = join(import.meta.dirname, '../k6')
const built = join(moduleFolder, 'bin/k6')

async function fits(command: string): Promise<boolean> {
  try {
    const { stdout } = await run(command, ['version'])
    return /^k6(\.exe)? v2\./.test(stdout)
  } catch {
    return false
  }
}

/** Path of a k6 of major version 2: from PATH, built earlier, or built now with Go (once, about 90 s on two cores). */
export async function findK6(): Promise<string> {
  if (await fits('k6')) return 'k6'
  if (await fits(built)) return built
  console.log('building k6 once with Go …')
  await mkdir(join(moduleFolder, 'bin'), { recursive: true })
  const child = spawn('go', ['build', '-o', built, 'go.k6.io/k6/v2'], { cwd: moduleFolder, stdio: 'inherit' })
  const code = await new Promise((resolve) => {
    child.once('error', () => resolve(undefined))
    child.once('close', resolve)
  })
  if (code === 0 && (await fits(built))) return built
  throw new Error(
    'k6 v2 is neither on PATH nor could it be built: put k6 v2 on PATH, or install Go 1.26 or newer',
  )
}
