/** An adapter of socket.io 4 over the processes of a cluster; `socket.io` is an optional peer. */

import type { Namespace } from 'socket.io'
import type { ClusterAdapterWithHeartbeat } from 'socket.io-adapter'
import type { Topics } from '../../types/cluster.js'

/** The options of {@link createAdapter}. */
export interface AdapterOptions {
  /** How often a server that says nothing else says that it is there, in milliseconds. @default 5000 */
  heartbeatInterval?: number
  /** A server that has said nothing for so long is not waited for, in milliseconds. Deaths are known at once. @default 10000 */
  heartbeatTimeout?: number
  /**
   * Hears how many messages, of all topics of the cluster, were written over before this process could read them: broadcasts of
   * others may be among them.
   */
  onMissed?: (count: number) => unknown
}

/**
 * `io.adapter(createAdapter(context))`: what one process broadcasts (`emit`, rooms, `except`, acknowledgements), asks
 * (`fetchSockets`, `serverSideEmit`) or orders (`socketsJoin`, `socketsLeave`, `disconnectSockets`) is of all processes. Messages
 * go through `context.publish`: each comes once or not at all, and may have a quarter of `publishBytes`; of one that cannot be
 * sent a warning tells. Connection state recovery is not supported.
 *
 * @throws `ERR_RSPOOL_INVALID_ARGUMENT` without a context, `ERR_RSPOOL_UNSUPPORTED` without socket.io
 */
export function createAdapter(
  context: Topics,
  options?: AdapterOptions
): new (
  namespace: Namespace
) => ClusterAdapterWithHeartbeat
