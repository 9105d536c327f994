import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds between two looks. */
const LOOK_MS = 100

/** False when it does not hold within that many milliseconds. */
export async function eventually(limit: number, holds: () => Promise<boolean>): Promise<boolean> {
  for (let waited = 0; waited <= limit; waited += LOOK_MS) {
    if (await holds()) return true
    await sleep(LOOK_MS)
  }
  return false
}
