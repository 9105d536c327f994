/** Orders of lists and maps. PERSIST_INDEX is added to one: the server then keeps the index of a large collection. */
export const ListOrder = { UNORDERED: 0, ORDERED: 1, PERSIST_INDEX: 0x10 } as const
export const MapOrder = { UNORDERED: 0, KEY_ORDERED: 1, KEY_VALUE_ORDERED: 3, PERSIST_INDEX: 0x10 } as const
