// What `supervisor.status()` gives.

import type { Cause } from './supervisor.js'

/**
 * The state of a slot. `'booting'`: its process starts. `'ready'`: it serves. `'draining'`: it answers what it has begun, and
 * ends. `'stalled'`: its event loop did not turn for `stallTimeout`, and it is being killed. `'backing-off'`: the next process
 * starts after a wait. `'failed'`: no process is started until `restart()` or `reload()`. `'stopped'`: the slot is not in use.
 */
export type SlotState = 'booting' | 'ready' | 'draining' | 'stalled' | 'backing-off' | 'failed' | 'stopped'

/**
 * What is read of a slot: `'unresponsive'` is a process that is ready and whose event loop has not turned for a second.
 * Nothing follows from that, and the next turn ends it.
 */
export type ReadingState = SlotState | 'unresponsive'

/** An HTTP request that has begun and is not answered in full. */
export interface RequestReading {
  /** Its method, as `'GET'`. */
  readonly method: string
  /** Its URL, as far as the option `requestUrls` allows and as there is room for. */
  readonly url?: string
  /** How long ago it began, in milliseconds. */
  readonly ageMs: number
}

/** What {@link Supervisor.status} gives. */
export interface ClusterStatus {
  /**
   * `'booting'`: no process is ready. `'ready'`: each slot is. `'scaling'`: some are ready, and others on their way. `'degraded'`: a
   * slot has failed or waits, the others serve. `'stopping'`: still serving, within `lameDuckDelay`. `'draining'`, `'stopped'`.
   */
  readonly state: 'booting' | 'ready' | 'scaling' | 'degraded' | 'stopping' | 'draining' | 'stopped'
  /** How many slots there are. */
  readonly size: number
  /** How many of them are ready. */
  readonly ready: number
  /** Each slot, with its process. */
  readonly processes: ProcessStatus[]
  /** Processes without a slot; 'ready' ones can take one. */
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
  /** Since it was started, in milliseconds. */
  readonly uptimeMs?: number
  /** How long it took from its start until it was ready, in milliseconds. */
  readonly readyMs?: number
  /** Cores in use over the last second. */
  readonly cpu?: number
  /** CPU time so far, in milliseconds. */
  readonly cpuMs?: number
  /** Resident memory, in bytes, shared memory included. */
  readonly rss?: number
  /** Resident memory, in bytes, of which what is shared counts in proportion. Read every five seconds. */
  readonly pss?: number
  /** Its threads. */
  readonly threads?: number
  /** Open file descriptors, and how many it may have. */
  readonly fds?: number
  /** How many file descriptors the process may have open. */
  readonly fdLimit?: number
  /** The heap of V8 that is used, and its limit, in bytes. */
  readonly heapUsed?: number
  /** The limit of the heap of V8, in bytes. */
  readonly heapLimit?: number
  /** Memory outside of the heap that belongs to objects of it, such as Buffers, in bytes. */
  readonly external?: number
  /** Milliseconds since the event loop last turned: the age of what the process tells of itself. */
  readonly beatAgeMs?: number
  /** How late the event loop is, in milliseconds; never less than it has been silent. */
  readonly loopDelayMs?: number
  /** How busy the event loop is, from 0 to 1. */
  readonly utilization?: number
  /** HTTP requests begun, and answers with 5xx. */
  readonly requests?: number
  /** Answers with a 5xx status. */
  readonly errors?: number
  /** Open connections of its servers. */
  readonly connections?: number
  /** Requests that have begun and are not answered in full. */
  readonly inFlight?: number
  /** The one of them that began first. */
  readonly oldestRequest?: RequestReading
  /** The last one that has begun, if it is in flight: a loop that hangs usually does so in it. */
  readonly lastRequest?: RequestReading
  /** Tasks that wait in its pools, and that run. */
  readonly pool?: { readonly queued: number; readonly running: number }
}

/** A slot, and what is known of its process. */
export interface ProcessStatus extends ProcessReading {
  /** The slot, from 0. */
  readonly slot: number
  /** Its state. */
  readonly state: ReadingState
  /** Which process of its slot this is, from 1. */
  readonly generation: number
  /** How often its processes died. */
  readonly restarts: number
  /** The last ten deaths. */
  readonly causes: { readonly at: number; readonly kind: Cause['kind']; readonly message: string }[]
  /** What the slot has counted. */
  readonly counters: Record<string, number>
  /** The pid of the process that is to take over. */
  readonly replacing?: number
  /** The pids of processes on their way out. */
  readonly draining: number[]
}

/** A spare process, and what is known of it. */
export interface SpareStatus extends ProcessReading {
  /** Its state; a `'ready'` one can take a slot. */
  readonly state: 'booting' | 'ready' | 'unresponsive' | 'draining' | 'exited'
}
