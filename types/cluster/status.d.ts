// The result of `supervisor.status()`.

import type { Cause } from './supervisor.js'

/**
 * The state of a slot. `'booting'`: its process starts. `'ready'`: its process serves. `'draining'`: its process answers the
 * requests that it has begun, and ends. `'stalled'`: the event loop of its process did not turn for `stallTimeout`, and the
 * process is being killed. `'backing-off'`: the next process starts after a wait. `'failed'`: no process is started until
 * `restart()` or `reload()`. `'stopped'`: the slot is not in use.
 */
export type SlotState = 'booting' | 'ready' | 'draining' | 'stalled' | 'backing-off' | 'failed' | 'stopped'

/**
 * The state of a slot in a reading. `'unresponsive'` is a ready process whose event loop has not turned for a second.
 * The supervisor does nothing about it, and the next turn ends this state.
 */
export type ReadingState = SlotState | 'unresponsive'

/** An HTTP request that has begun and is not answered in full. */
export interface RequestReading {
  /** Its method, as `'GET'`. */
  readonly method: string
  /** Its URL, as far as the option `requestUrls` allows it and there is room for it. */
  readonly url?: string
  /** How long ago it began, in milliseconds. */
  readonly ageMs: number
}

/** The result of {@link Supervisor.status}. */
export interface ClusterStatus {
  /**
   * `'booting'`: no process is ready. `'ready'`: each slot is ready. `'scaling'`: some slots are ready, and others on their
   * way. `'degraded'`: a slot has failed or waits, the others serve. `'stopping'`: still serving, within `lameDuckDelay`.
   * `'draining'`, `'stopped'`.
   */
  readonly state: 'booting' | 'ready' | 'scaling' | 'degraded' | 'stopping' | 'draining' | 'stopped'
  /** How many slots there are. */
  readonly size: number
  /** How many of them are ready. */
  readonly ready: number
  /** Each slot, with its process. */
  readonly processes: ProcessStatus[]
  /** Processes without a slot. A 'ready' one can take a slot. */
  readonly spares: SpareStatus[]
  /** The CPU budget that the pools share: how many tokens there are, and how many are free. */
  readonly budget: { readonly tokens: number; readonly free: number }
  /** The counters, over all processes. */
  readonly counters: Record<string, number>
}

/** The readings of a process, with a slot or without. A reading that the platform does not give is undefined. */
export interface ProcessReading {
  /** Its process id. */
  readonly pid?: number
  /** The time since it was started, in milliseconds. */
  readonly uptimeMs?: number
  /** The time from its start until it was ready, in milliseconds. */
  readonly readyMs?: number
  /** CPU use over the last second, in cores. */
  readonly cpu?: number
  /** CPU time so far, in milliseconds. */
  readonly cpuMs?: number
  /** Resident memory, in bytes, shared memory included. */
  readonly rss?: number
  /** Resident memory, in bytes, in which shared memory counts in proportion. Read every five seconds. */
  readonly pss?: number
  /** Its threads. */
  readonly threads?: number
  /** Open file descriptors. */
  readonly fds?: number
  /** How many file descriptors the process may have open. */
  readonly fdLimit?: number
  /** The used heap of V8, in bytes. */
  readonly heapUsed?: number
  /** The limit of the heap of V8, in bytes. */
  readonly heapLimit?: number
  /** Memory outside of the heap that belongs to objects in the heap, such as Buffers, in bytes. */
  readonly external?: number
  /** Milliseconds since the event loop last turned: the age of the readings that come from the process itself. */
  readonly beatAgeMs?: number
  /** How late the event loop is, in milliseconds; never less than the time that it has been silent. */
  readonly loopDelayMs?: number
  /** How busy the event loop is, from 0 to 1. */
  readonly utilization?: number
  /** HTTP requests that have begun. */
  readonly requests?: number
  /** Answers with a 5xx status. */
  readonly errors?: number
  /** Open connections of its servers. */
  readonly connections?: number
  /** Requests that have begun and are not answered in full. */
  readonly inFlight?: number
  /** The oldest of the requests in flight. */
  readonly oldestRequest?: RequestReading
  /** The request that began last, if it is still in flight. A loop that hangs usually hangs in it. */
  readonly lastRequest?: RequestReading
  /** Tasks in its pools that wait and that run. */
  readonly pool?: { readonly queued: number; readonly running: number }
}

/** A slot, and the readings of its process. */
export interface ProcessStatus extends ProcessReading {
  /** The slot, from 0. */
  readonly slot: number
  /** Its state. */
  readonly state: ReadingState
  /** The number of this process within its slot, from 1. */
  readonly generation: number
  /** How often processes of the slot have died. */
  readonly restarts: number
  /** The last ten deaths. */
  readonly causes: { readonly at: number; readonly kind: Cause['kind']; readonly message: string }[]
  /** The counters of the slot. */
  readonly counters: Record<string, number>
  /** The pid of the process that is to take over. */
  readonly replacing?: number
  /** The pids of processes on their way out. */
  readonly draining: number[]
}

/** A spare process, and its readings. */
export interface SpareStatus extends ProcessReading {
  /** Its state. A `'ready'` process can take a slot. */
  readonly state: 'booting' | 'ready' | 'unresponsive' | 'draining' | 'exited'
}
