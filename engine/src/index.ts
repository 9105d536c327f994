/** The engine as a library: a node in this process, and the client. */
export type { Durability, NamespaceConfig, NodeConfig } from './server/config.ts'
export type { Node, NodeNamespace } from './server/node.ts'
export { startNode } from './server/node.ts'
export { StartError } from './server/start-error.ts'
export type { BatchRequest, BatchResult, Client, ConnectOptions } from './client/client.ts'
export { connect } from './client/client.ts'
export type { Policy, ReadPolicy, WritePolicy } from './client/policy.ts'
export type { ClientRecord, Metadata, OperateResult } from './client/record.ts'
export { ClientCode, ClientError } from './protocol/client-error.ts'
export type { Key } from './protocol/key.ts'
export {
  type Context,
  ctx,
  infinity,
  list,
  ListFlag,
  ListOrder,
  map,
  MapFlag,
  MapOrder,
  ReturnType,
} from './protocol/collection-builder.ts'
export { exp, type Expression, ExpressionWriteFlag } from './protocol/expression-builder.ts'
export { op, type Operation } from './protocol/operation-builder.ts'
export { double, geoJson, type Value } from './protocol/value-codec.ts'
export { ResultCode } from './values/result-code.ts'
