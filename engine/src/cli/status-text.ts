/** Info values as texts for a screen. */
export type Pairs = ReadonlyMap<string, string>

/** `key=value;…` as a map. */
export function pairsOf(text: string | undefined): Pairs {
  return new Map(
    (text ?? '').split(';').map((pair) => {
      const at = pair.indexOf('=')
      return [pair.slice(0, at), pair.slice(at + 1)] as const
    }),
  )
}

export const count = (value: number): string => Math.round(value).toLocaleString('en')

export const size = (bytes: number): string => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const unit = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`
}
