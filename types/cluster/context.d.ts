// What a process of a cluster has.

import type { Coordination } from '../locks.js'
import type { SharedMap } from '../shared-map.js'
import type { ClusterCounters, ClusterGauges, ClusterHistograms } from './counters.js'
import type { Messages, Topics } from './messages.js'

/** What `main` gets. Frozen. */
export interface ClusterContext extends Messages, Topics, Coordination {
  /**
   * The stable place of this process, from 0. A spare process has none before it takes a slot: reading it
   * then throws `ERR_RSPOOL_NO_SLOT`, except that a main that reads it before anything that takes time is
   * called when there is one.
   */
  readonly slot: number
  /** Which process of its slot this is, counted from 1. In a spare process it throws as `slot` does. */
  readonly generation: number
  /** Resolves when this process has a slot: at once, except in a spare process. */
  readonly assigned: Promise<void>
  /** True from the moment on at which this process was told to end, also during `lameDuckDelay`. */
  readonly stopping: boolean
  /** The counters that the option `counters` names. Each process adds to a row of its own, a reading is the sum. */
  readonly counters: ClusterCounters
  /** The gauges that the option `gauges` names. */
  readonly gauges: ClusterGauges
  /** The histograms that the option `histograms` names. */
  readonly histograms: ClusterHistograms
  /** The maps that the option `maps` names. */
  readonly maps: Readonly<Record<string, SharedMap>>
  /** Aborted when the drain begins: for streams and long answers. */
  readonly signal: AbortSignal
  /** Sockets that systemd opened, for `server.listen({ fd })`. */
  readonly sockets: readonly { readonly name: string; readonly fd: number }[]
  /**
   * Registers a function that runs in a drain, when the connections have ended or four fifths of the grace are over. The last
   * one registered runs first. Returns a function that takes the hook away.
   */
  onDrain(hook: () => unknown, options?: { timeout?: number }): () => void
  /** Says that this process is ready, whatever its servers do. */
  ready(): void
  /**
   * Keeps the sessions of a socket.io server with this process. It makes their ids, and ends them in a drain, spread over the
   * first half of the grace, with engine.io's message for that: clients connect anew, and come to other processes.
   *
   * @param io a server of socket.io that was given its HTTP server, or one of engine.io
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` for anything else, and without the option `sticky`
   */
  sticky(io: object): void
  /**
   * An id for a new session of this process: 30 to 50 letters, digits, `-`, `_` and `.`, of which nobody can guess one. Requests
   * that have it where `sticky` says are answered by this process.
   *
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` without the option `sticky`, `ERR_RSPOOL_NO_SLOT` in a spare process
   */
  sessionId(): string
}
