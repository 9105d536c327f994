import type { EngineConnection } from '../../../shop-api/src/start/run-start.ts'

/** How many operations the process does before it dies, and whether the last one still reaches the engine. */
export interface Death {
  readonly after: number
  readonly isLastDone: boolean
}

/** The stock of an engine as a process sees it that is killed at some operation: from then on it does nothing. */
export function mortalStock(stock: EngineConnection['stock'], { after, isLastDone }: Death) {
  let operations = 0
  const mortal = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return async (...given: unknown[]): Promise<unknown> => {
          operations++
          if (operations < after || (operations === after && isLastDone)) await Promise.resolve()
          else throw new Error('killed')
          const result: unknown = await Reflect.apply(member, target, given)
          if (operations >= after) throw new Error('killed')
          return result
        }
      },
    })
  return {
    stock: { records: mortal(stock.records), intents: mortal(stock.intents), layouts: mortal(stock.layouts) },
    isDead: () => operations >= after,
  }
}
