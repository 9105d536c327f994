/** A setting that can be changed while the node runs: checks the text, then makes it so; false = not accepted. */
export type SettingChange = (value: string) => boolean

export interface Setting {
  /** The value now, as get-config prints it. */
  show(): string
  readonly change?: SettingChange
  /** The same for what another node has accepted, where that is not for this one to check. */
  readonly adopt?: SettingChange
}

/** Settings in the order in which get-config lists them. */
export class Settings {
  readonly #settings = new Map<string, Setting>()
  readonly #onChange: (name: string, value: string) => void

  /** `onChange` is told what was changed here, as get-config shows it. */
  constructor(onChange: (name: string, value: string) => void = () => undefined) {
    this.#onChange = onChange
  }

  /** Settings that only have a value, for the tools that read them. */
  fixed(values: Readonly<Record<string, string | number | boolean>>): this {
    for (const [name, value] of Object.entries(values))
      this.#settings.set(name, { show: () => String(value) })
    return this
  }

  define(name: string, setting: Setting): this {
    this.#settings.set(name, setting)
    return this
  }

  /** As an operator asks; false = not accepted. */
  change(name: string, value: string): boolean {
    const setting = this.#settings.get(name)
    if (setting?.change?.(value) !== true) return false
    this.#onChange(name, setting.show())
    return true
  }

  /** As the cluster says. */
  adopt(name: string, value: string): void {
    const setting = this.#settings.get(name)
    const adopt = setting?.adopt ?? setting?.change
    adopt?.(value)
  }

  *entries(): Iterable<readonly [string, string]> {
    for (const [name, setting] of this.#settings) yield [name, setting.show()]
  }
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
}
const DURATIONS: Readonly<Record<string, number>> = { '': 1, S: 1, M: 60, H: 3600, D: 86_400 }

function parse(text: string, units: Readonly<Record<string, number>>): number {
  const match = /^(\d+)([a-zA-Z]?)$/.exec(text)
  const unit = match && units[match[2]!.toUpperCase()]
  return unit === null || unit === undefined ? NaN : Number(match![1]) * unit
}

interface Range {
  readonly min?: number
  readonly max: number
  /** `time` takes suffixes s, m, h, d; `size` K, M, G. */
  readonly unit?: 'time' | 'size'
}

/** A whole number in a range. `accept` may refuse it for reasons of its own. */
export function numberSetting(
  get: () => number,
  set: (value: number) => boolean | void,
  { min = 0, max, unit }: Range,
): Setting {
  return {
    show: () => String(get()),
    change: (text) => {
      const value = parse(text, unit === 'time' ? DURATIONS : unit === 'size' ? UNITS : { '': 1 })
      return value >= min && value <= max && set(value) !== false
    },
  }
}

export function switchSetting(get: () => boolean, set: (value: boolean) => boolean | void): Setting {
  return {
    show: () => String(get()),
    change: (text) => {
      const value = /^(true|yes)$/i.test(text) ? true : /^(false|no)$/i.test(text) ? false : undefined
      return value !== undefined && set(value) !== false
    },
  }
}

/** One of a few words. */
export function choiceSetting<T extends string>(
  get: () => T,
  set: (value: T) => void,
  choices: readonly T[],
): Setting {
  return {
    show: get,
    change: (text) => {
      const choice = choices.find((each) => each === text.toLowerCase())
      if (choice !== undefined) set(choice)
      return choice !== undefined
    },
  }
}
