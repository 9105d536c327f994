/**
 * The life of an order. An order in a passing state is being worked on, or was left behind by a crash and waits
 * for recovery; `placed` is the commit point, after which nothing can fail any more.
 */
const orderTransitions = {
  /** Written together with its idempotency key; nothing outside the database has happened. */
  created: ['pinning', 'undoing'],
  /** Holds are being pinned to the order. */
  pinning: ['paying', 'undoing'],
  /** All holds are pinned; the provider is being asked, and its answer may be on its way. */
  paying: ['placed', 'undoing'],
  /** Paid. Pinned holds are being turned into sales. */
  placed: ['completed'],
  completed: [],
  /** The order will not come to be: what was pinned is given back. */
  undoing: ['cancelled'],
  cancelled: [],
} as const satisfies Record<string, readonly string[]>

export type OrderState = keyof typeof orderTransitions

export const passingStates = [
  'created',
  'pinning',
  'paying',
  'placed',
  'undoing',
] as const satisfies OrderState[]

export function mayMove(from: OrderState, to: OrderState): boolean {
  return (orderTransitions[from] as readonly OrderState[]).includes(to)
}
