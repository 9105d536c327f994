/**
 * No moment yet, in ms since 1970: equal to 0. Minus zero, because V8 keeps it as it keeps a real time, not as a small
 * integer; with 0 the first real time would change the shape of the object and throw away the code compiled for it,
 * in the midst of requests.
 */
export const NO_TIME = -0
