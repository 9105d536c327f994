/** Checks of single settings; a StartError names the setting, its value and what would be right. */
import { StartError } from './start-error.ts'

export function invalid(setting: string, value: unknown, right: string): StartError {
  return new StartError(`Setting ${setting} is ${JSON.stringify(value) ?? 'missing'}; it must be ${right}`)
}

export function refuseUnknown(config: object, known: readonly string[], path: string): void {
  for (const key of Object.keys(config))
    if (!known.includes(key))
      throw new StartError(
        `There is no setting ${path}${key}; known are ${known.map((name) => path + name).join(', ')}`,
      )
}

export function text(value: unknown, setting: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(setting, value, 'a text')
  return value
}

export function whole(value: unknown, setting: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
    throw invalid(setting, value, `a whole number from ${min} to ${max}`)
  return value
}
