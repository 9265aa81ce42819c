/** What is told of a pool, its tasks and its workers. */

import type { EventLoopUtilization } from 'node:perf_hooks'
import type { Pool } from './pool.js'

/** How long tasks wait or run, within 1 %; all 0 while nothing was measured. Readable after the pool has ended. */
export interface Histogram {
  /** How many were measured. */
  readonly count: number
  /** The shortest, in milliseconds. */
  readonly min: number
  /** The longest, in milliseconds. */
  readonly max: number
  /** In milliseconds. */
  readonly mean: number
  /** The standard deviation in milliseconds. */
  readonly stddev: number
  /**
   * The time in milliseconds that so many of a hundred were not above.
   * @param percent above 0, up to 100
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT`
   */
  percentile(percent: number): number
  /** Percentiles in milliseconds by their percent: 0, 50, 75, 87.5 and so on, and 100. */
  readonly percentiles: Map<number, number>
  /** Begins anew, and so do the times of `pool.stats()`. The metrics go on. */
  reset(): void
  /** A plain object of all that, `percentiles` included. */
  toJSON(): Record<string, unknown>
}

/** The histograms of a pool. */
export interface PoolHistograms {
  /** From the call of a task to its start. */
  readonly wait: Histogram
  /** From the start of a task to its end. */
  readonly run: Histogram
}

/** The heap of an isolate. */
export interface WorkerHeap {
  /** Bytes in use. */
  used: number
  /** Bytes that are reserved. */
  total: number
  /** Bytes that it may grow to; `null` where the runtime does not tell. */
  limit: number | null
  /** Milliseconds since it was read. */
  age: number
}

/**
 * What subscribers of the channels `rspool:task:*` and `tracing:rspool:task:*` get: one object a task, from
 * its call to its end.
 */
export interface TaskMessage {
  /** The pool that was called. */
  pool: Pool
  /** The native task's name, the name of the export, or `'(inline)'`. */
  task: string
  /** Where it runs: on a native thread, or in an isolate. */
  lane: 'native' | 'script'
  /** `'batch'` is a chunk of `pool.map`. */
  kind: 'call' | 'batch' | 'stream' | 'channel'
  /** The script as an URL; of script tasks only. */
  filename: string | undefined
  /** Whether a task of the pool has called it. */
  nested: boolean
  /** Of the task that has called it, if somebody had subscribed when that was called. */
  outer: TaskMessage | undefined
  /** Who has taken it; known from `start` on. */
  worker: { id: number; threadId: number | undefined } | undefined
  /** Milliseconds that it waited; known from `start` on. */
  wait: number | undefined
  /** Milliseconds that it ran; known at the end of a task that a worker has ended. */
  run: number | undefined
  /** What a `'call'` or a `'channel'` gave; at its end. */
  result?: any
  /** What it failed with, at its end. */
  error?: unknown
}

/** What subscribers of the channels `rspool:worker:create`, `rspool:worker:stalled` and `rspool:worker:exit` get. */
export interface WorkerMessage {
  /** The pool of the worker. */
  pool: Pool
  /** The number of the worker in its pool; see {@link WorkerStats.id}. */
  id: number
  /** The isolate's number; see {@link WorkerStats.number}. */
  number: number
  /** The `threadId` of the isolate in `node:worker_threads`. */
  threadId: number
  /** Of `rspool:worker:exit`. */
  exitCode?: number
  /** Of `rspool:worker:stalled`: milliseconds since the ring for which it did not come. */
  silentMs?: number
  /** Of `rspool:worker:stalled`: what its JavaScript does, if it tells. */
  stack?: string | null
}

/** The `detail` of the measures `rspool:task` that a pool with `timing: true` makes. */
export interface TaskMeasure {
  /** The pool's `label`. */
  pool: string
  /** The name of the native task or of the export, or `'(inline)'`. */
  task: string
  /** Where it ran: on a native thread, or in an isolate. */
  lane: 'native' | 'script'
  /** `'batch'` is a chunk of `pool.map`. */
  kind: 'call' | 'batch' | 'stream' | 'channel'
  /** Whether a task of the pool has called it. */
  nested: boolean
  /** Milliseconds that it waited, if it started. */
  wait: number | undefined
  /** Milliseconds that it ran, if a worker has ended it. */
  run: number | undefined
  /** The code or the name of what it failed with. */
  error: string | undefined
}

/** A distribution of times in milliseconds, within 1 %; all 0 while nothing was measured. */
export interface Percentiles {
  /** How many were measured. */
  count: number
  /** The shortest time. */
  min: number
  /** The longest time. */
  max: number
  /** The arithmetic mean. */
  mean: number
  /** The median. */
  p50: number
  /** 90 % took at most this. */
  p90: number
  /** 99 % took at most this. */
  p99: number
  /** 99.9 % took at most this. */
  p999: number
}

/** A task that runs. */
export interface RunningTask {
  /** As `task.id` in its script: no other running task of the pool's thread has it. */
  id: number
  /** The native task's name, the name of the export, or `'(inline)'`. */
  task: string
  /** Milliseconds since it was started. */
  running: number
}

/** What a worker does at one moment. */
export interface WorkerStack {
  /** Its number in the pool, as in the statistics. */
  id: number
  /** Whether it is a native thread or an isolate. */
  lane: 'native' | 'script'
  /** The tasks that it runs. `progress` is how far a native task is, as far as it counts; else `null`. */
  tasks: (RunningTask & { progress: { bytes: number; rows: number } | null })[]
  /**
   * A line for each frame, the innermost first, as in the `stack` of an error; empty if no JavaScript runs. `null` in
   * the native lane, and for an isolate that did not answer within a second: it is in a call of the system, as
   * `execSync` is.
   */
  stack: string | null
}

/** How often calls of a pool gave no result, by the way in which. */
export interface Outcomes {
  /** The function threw, or the native task gave an error. */
  thrown: number
  /** It ran longer than its `timeout`. */
  timeout: number
  /** It waited longer than its `queueTimeout`. */
  queueTimeout: number
  /** It had not ended at its `deadline`. */
  deadline: number
  /** Its signal was aborted, before the call or after, or `cancelQueued()` was called. */
  aborted: number
  /** Its input or its result could not be cloned. */
  clone: number
  /** Its worker ended. */
  workerExit: number
  /** No worker could be started for it. */
  workerStart: number
  /** The native task panicked. */
  panic: number
  /** The pool was destroyed. */
  closed: number
  /** The call was not taken: the queue was full, the input too large, or the pool closing. */
  refused: number
}

/** A worker at one moment. */
export interface WorkerStats {
  /** Its number in the pool, as in the events; one that has ended leaves it to a later one. */
  id: number
  /** Whether it is a native thread or an isolate. */
  lane: 'native' | 'script'
  /**
   * `'unresponsive'` is an isolate that was rung a second ago or more, runs no task and does not come: it is not idle, and
   * others are started in its place.
   */
  state: 'starting' | 'busy' | 'idle' | 'unresponsive'
  /** Tasks that it has now. One that is starting may have been given some already. */
  running: number
  /** The tasks that it runs now, those included that were given up and have not ended. */
  tasks: RunningTask[]
  /** Tasks that it has ended, in whatever way. */
  completed: number
  /** Milliseconds since it was started. */
  age: number
  /** Milliseconds that its tasks have run, added up, those included that run now. */
  busyTime: number
  /**
   * Of an isolate, the lowest number from 1 that no other living isolate of the pool had when it was started: from 1 to
   * `maxThreads` while none is being replaced, so that what exists once per worker can be chosen by it. `null` in the
   * native lane.
   */
  number: number | null
  /** As in the events; `null` in the native lane. */
  threadId: number | null
  /** Milliseconds of CPU that its thread has used, in steps of about 10; `null` where the system does not tell. */
  cpuTime: number | null
  /** Of an isolate, once it was read; `null` before, and in the native lane. */
  heap: WorkerHeap | null
  /** Of an isolate, since it was started; `null` in the native lane. */
  eventLoopUtilization: EventLoopUtilization | null
}

/** A pool at one moment. */
export interface PoolStats {
  /** The workers of both lanes. */
  workers: WorkerStats[]
  /** Workers that run a task. */
  busy: number
  /** Workers that run none; those that start, or are unresponsive, are not counted. */
  idle: number
  /** Tasks that wait. */
  queued: number
  /** Tasks that run, those included that were given up and have not ended. */
  running: number
  /** Tasks that returned. */
  completed: number
  /** Tasks that ended otherwise: threw, were given up, lost their worker. Calls that were refused are not counted. */
  failed: number
  /** How often calls gave no result in each way. `failed` is the sum of all but `refused`. */
  outcomes: Outcomes
  /** Milliseconds that the task has waited which has waited for longest; `null` if none waits. */
  oldestQueued: number | null
  /** Milliseconds that the task has run which has run for longest; `null` if none runs. */
  oldestRunning: number | null
  /** Bytes of the inputs that wait; numbers and what waits for a port are not counted. */
  queuedBytes: number
  /** From the call to the start of a task. */
  waitTime: Percentiles
  /** From the start of a task to its end. */
  runTime: Percentiles
  /** The time that tasks have run, those included that run now, as a share of `maxThreads` times the age of the pool, 0 to 1. */
  utilization: number
}
