// The context of a process of a cluster.

import type { Coordination } from '../locks.js'
import type { SharedMap } from '../shared-map.js'
import type { ClusterCounters, ClusterGauges, ClusterHistograms } from './counters.js'
import type { Messages, Topics } from './messages.js'

/** The argument of `main`. Frozen. */
export interface ClusterContext extends Messages, Topics, Coordination {
  /**
   * The number of the slot of this process, from 0. A successor of the process has the same. A spare process has no
   * slot until it takes one: reading it throws `ERR_RSPOOL_NO_SLOT`. The exception is a `main` that reads it before
   * anything that takes time: it is called again when there is a slot.
   */
  readonly slot: number
  /** The number of this process within its slot, counted from 1. In a spare process it throws as `slot` does. */
  readonly generation: number
  /** Resolves when this process has a slot: at once, except in a spare process. */
  readonly assigned: Promise<void>
  /** True once this process was told to end, also during `lameDuckDelay`. */
  readonly stopping: boolean
  /** The counters that the option `counters` names. Each process adds to a row of its own, and a reading is the sum. */
  readonly counters: ClusterCounters
  /** The gauges that the option `gauges` names. */
  readonly gauges: ClusterGauges
  /** The histograms that the option `histograms` names. */
  readonly histograms: ClusterHistograms
  /** The maps that the option `maps` names. */
  readonly maps: Readonly<Record<string, SharedMap>>
  /** Aborted when the drain begins. Use it to end streams and long answers. */
  readonly signal: AbortSignal
  /** Sockets that systemd opened, for `server.listen({ fd })`. */
  readonly sockets: readonly { readonly name: string; readonly fd: number }[]
  /**
   * Registers a function that runs in a drain, when the connections have ended or four fifths of the grace are over. The last
   * function registered runs first. Returns a function that removes the hook.
   */
  onDrain(hook: () => unknown, options?: { timeout?: number }): () => void
  /** Declares this process ready, whatever its servers do. */
  ready(): void
  /**
   * Keeps the sessions of a socket.io server with this process. It makes the session ids. In a drain it ends the sessions,
   * spread over the first half of the grace, with engine.io's close message, so clients connect anew and come to other
   * processes.
   *
   * @param io a server of socket.io that was given its HTTP server, or one of engine.io
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` for anything else, and without the option `sticky`
   */
  sticky(io: object): void
  /**
   * An id for a new session of this process: 30 to 50 letters, digits, `-`, `_` and `.`, which nobody can guess. This process
   * answers the requests that have the id in the place that `sticky` names.
   *
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` without the option `sticky`, `ERR_RSPOOL_NO_SLOT` in a spare process
   */
  sessionId(): string
}
