import type { Way } from './way.ts'

/** Where requests go. */
export interface Routes {
  /**
   * The way to the master of the partition for the first try, `tried` = 0; for further ones to its replicas in turn,
   * which pass writes on to the master. Throws a ClientError when there is no node at all.
   */
  wayOf(namespace: string, partition: number, tried: number): Way
  anyWay(): Way
  close(): void
}
