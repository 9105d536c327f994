/**
 * Every way a request can fail, by its stable code: clients may rely on a code and its status for ever, while
 * titles and details are for people. A page under /problems/<code> says what to do about each.
 */
export const problemTable = {
  'validation-failed': { status: 422, title: 'The request does not have the form this route takes' },
  'malformed-json': { status: 400, title: 'The body is not valid JSON' },
  'body-too-large': { status: 413, title: 'The body is larger than this server takes' },
  'unsupported-media-type': { status: 415, title: 'The body is not of a type this route takes' },
  'route-not-found': { status: 404, title: 'There is no such route' },
  'method-not-allowed': { status: 405, title: 'This route does not take that method' },
  'invalid-cursor': { status: 400, title: 'The cursor was not made by this route' },
  'product-not-found': { status: 404, title: 'There is no such product' },
  'category-not-found': { status: 404, title: 'There is no such category' },
  'sku-not-found': { status: 404, title: 'There is no such SKU' },
  'location-not-found': { status: 404, title: 'There is no such stock location' },
  'cart-not-found': { status: 404, title: 'There is no such cart, or it has expired' },
  'cart-changed': { status: 412, title: 'The cart is not the one the If-Match header names' },
  'cart-busy': { status: 409, title: 'Several requests change this cart at once' },
  'cart-full': { status: 409, title: 'The cart holds as many lines as a cart can' },
  'cart-empty': { status: 409, title: 'The cart has no lines' },
  'line-not-found': { status: 404, title: 'The cart has no such line' },
  'quantity-limit': { status: 409, title: 'A line holds at most 99 units' },
  'operator-token-required': { status: 401, title: 'Only the operator may do this: no token was sent' },
  'operator-token-wrong': { status: 403, title: 'Only the operator may do this: the token is another one' },
  'movement-id-reused': { status: 422, title: 'This id belongs to another movement of this stock' },
  'sold-out': { status: 409, title: 'Fewer units are available than were asked for' },
  'hold-ended': { status: 409, title: 'The reservation of a line has ended' },
  'stock-unsettled': { status: 503, title: 'It is not known yet whether the stock was taken' },
  'price-changed': { status: 409, title: 'A price or total is not the one the client named' },
  'currency-mismatch': { status: 409, title: 'All lines of a cart must have the same currency' },
  'idempotency-key-required': { status: 400, title: 'The Idempotency-Key header is missing or malformed' },
  'idempotency-key-reused': { status: 422, title: 'This Idempotency-Key was used for another request' },
  'idempotency-in-flight': { status: 409, title: 'The first request with this Idempotency-Key still runs' },
  'payment-declined': { status: 402, title: 'The payment was declined' },
  'payment-unsettled': { status: 503, title: 'It is not known yet whether the payment was made' },
  'order-not-found': { status: 404, title: 'There is no such order' },
  'order-state': { status: 409, title: 'The order is not in a state that allows this' },
  unavailable: { status: 503, title: 'A part of the store cannot be reached' },
  'internal-error': { status: 500, title: 'The store made a mistake' },
} as const

export type ProblemCode = keyof typeof problemTable
