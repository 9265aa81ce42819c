/** An adapter of socket.io 4 for the processes of a cluster; `socket.io` is an optional peer. */

import type { Namespace } from 'socket.io'
import type { ClusterAdapterWithHeartbeat } from 'socket.io-adapter'
import type { Topics } from '../../types/cluster.js'

/** The options of {@link createAdapter}. */
export interface AdapterOptions {
  /** After how many milliseconds a server that sends nothing else sends a heartbeat. @default 5000 */
  heartbeatInterval?: number
  /**
   * After how many milliseconds of silence a server is not waited for. The death of a process is known at once.
   * @default 10000
   */
  heartbeatTimeout?: number
  /**
   * Called with the number of messages, of all topics of the cluster, that were overwritten before this process could read
   * them. Broadcasts of other processes may be among them.
   */
  onMissed?: (count: number) => unknown
}

/**
 * `io.adapter(createAdapter(context))`: broadcasts (`emit`, rooms, `except`, acknowledgements), queries (`fetchSockets`,
 * `serverSideEmit`) and commands (`socketsJoin`, `socketsLeave`, `disconnectSockets`) of one process reach all processes.
 * Messages go through `context.publish`: each arrives once or not at all, and may have a quarter of `publishBytes`. If a
 * message cannot be sent, the process emits a warning. Connection state recovery is not supported.
 *
 * @throws `ERR_RSPOOL_INVALID_ARGUMENT` without a context, `ERR_RSPOOL_UNSUPPORTED` without socket.io
 */
export function createAdapter(
  context: Topics,
  options?: AdapterOptions
): new (
  namespace: Namespace
) => ClusterAdapterWithHeartbeat
