import { isLive, type StockRecord } from './stock-record.ts'

/**
 * The law of a stock record, which holds at every moment:
 *
 *   on hand = available + held
 *   initial + received + adjusted + returned + transferred in = on hand + sold + transferred out
 *
 * and held and live are what its holds say.
 *
 * @returns one line for each breach
 */
export function stockBreaches({ numbers: n, holds }: StockRecord): string[] {
  const breaches: string[] = []
  const equal = (name: string, left: number, right: number) => {
    if (left !== right) breaches.push(`${name}: ${left} is not ${right}`)
  }
  equal('on hand = available + held', n.onHand, n.available + n.held)
  const came = n.initial + n.received + n.adjusted + n.returned + n.transferredIn
  equal('what came = what is here or went', came, n.onHand + n.sold + n.transferredOut)
  const live = [...holds.values()].filter(isLive)
  equal('live = number of live holds', n.live, live.length)
  const units = live.reduce((sum, entry) => sum + entry.quantity, 0)
  equal('held = units of live holds', n.held, units)
  for (const [name, value] of Object.entries(n))
    if (value < 0 && name !== 'adjusted' && name !== 'moving') breaches.push(`${name} is ${value}`)
  return breaches
}
