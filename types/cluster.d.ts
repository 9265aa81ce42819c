/**
 * The cluster helper: several processes on one port. They are kept running, drained and reloaded without a lost
 * request, and share counters. Unix only.
 */

import type { ClusterContext } from './cluster/context.js'
import type { ClusterOptions } from './cluster/options.js'
import type { Supervisor } from './cluster/supervisor.js'

export type * from './cluster/context.js'
export type * from './cluster/counters.js'
export { ClusterCounters } from './cluster/counters.js'
export type * from './cluster/messages.js'
export type * from './cluster/options.js'
export type * from './cluster/status.js'
export type * from './cluster/supervisor.js'
export type * from './locks.js'

/**
 * In the primary: starts the processes, and returns their supervisor at once. In a process of the
 * cluster: runs `main` with the context, and returns that context. The program's own file runs in
 * every process, so each process reaches the same call (its type is that of the primary).
 *
 * @throws `ERR_RSPOOL_INVALID_ARGUMENT` for wrong arguments or options
 * @throws `ERR_RSPOOL_CLUSTER_RUNNING` when this program runs a cluster already
 * @throws `ERR_RSPOOL_NOT_PRIMARY` in a thread, and in a process that was forked by other means
 */
export function run(main: (context: ClusterContext) => unknown, options?: ClusterOptions): Supervisor

/**
 * Runs an application's file, unchanged, in every process. A process is ready when it listens, or when it calls
 * `cluster.current.ready()`.
 *
 * @param file an absolute path, a path relative to the working directory, or a `file:` URL
 */
export function run(file: string | URL, options?: ClusterOptions): Supervisor

/** True in the program that starts the processes, and if there is no cluster. */
export const isPrimary: boolean

/** The context of this process of a cluster; undefined elsewhere. */
export const current: ClusterContext | undefined
