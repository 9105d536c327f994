/** The field of a message that says how long a record lives: seconds, or one of these. Source: protocol notes, records. */
export const TTL_DEFAULT = 0
/** Of a write: for ever. Of a read: as long as before, however little of it is left. */
export const TTL_NEVER = 0xffffffff
/** As long as before. */
export const TTL_KEEP = 0xfffffffe
/** Ten years. */
export const MAX_TTL_S = 315_360_000
