/** The engine as a library: a node in this process, and the client. */
export type { Client, ConnectOptions, Key, StoredRecord, Value, WritePolicy } from './client/client.ts'
export { ClientError, connect } from './client/client.ts'
export type { Durability, NamespaceConfig, NodeConfig } from './server/config.ts'
export type { Node, NodeNamespace } from './server/node.ts'
export { startNode } from './server/node.ts'
export { StartError } from './server/start-error.ts'
