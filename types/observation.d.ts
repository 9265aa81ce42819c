/** The readings of a pool, its tasks and its workers. */

import type { EventLoopUtilization } from 'node:perf_hooks'
import type { Pool } from './pool.js'

/**
 * How long tasks wait or run, within 1 %. All figures are 0 while nothing was measured. Readable after the pool has
 * ended.
 */
export interface Histogram {
  /** How many were measured. */
  readonly count: number
  /** The shortest, in milliseconds. */
  readonly min: number
  /** The longest, in milliseconds. */
  readonly max: number
  /** The arithmetic mean, in milliseconds. */
  readonly mean: number
  /** The standard deviation in milliseconds. */
  readonly stddev: number
  /**
   * The time in milliseconds that `percent` of the tasks did not exceed.
   * @param percent above 0, up to 100
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT`
   */
  percentile(percent: number): number
  /** Percentiles in milliseconds by their percent: 0, 50, 75, 87.5 and so on, and 100. */
  readonly percentiles: Map<number, number>
  /** Begins anew. The times of `pool.stats()` begin anew, too; the metrics go on. */
  reset(): void
  /** All of these as a plain object, `percentiles` included. */
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
  /** Bytes reserved. */
  total: number
  /** Bytes that the heap may grow to; `null` if the runtime does not tell. */
  limit: number | null
  /** Milliseconds since the heap was read. */
  age: number
}

/**
 * The message of the channels `rspool:task:*` and `tracing:rspool:task:*`: one object per task, the same from its call
 * to its end.
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
  /** The script as a URL; for script tasks only. */
  filename: string | undefined
  /** Whether a task of the pool has called it. */
  nested: boolean
  /** The message of the task that has called it, if the channel had subscribers when that task was called. */
  outer: TaskMessage | undefined
  /** The worker that has taken it; known from `start` on. */
  worker: { id: number; threadId: number | undefined } | undefined
  /** Milliseconds that it waited; known from `start` on. */
  wait: number | undefined
  /** Milliseconds that it ran; known at the end of a task that a worker has ended. */
  run: number | undefined
  /** The result of a `'call'` or a `'channel'`; known at its end. */
  result?: any
  /** The error that it failed with; known at its end. */
  error?: unknown
}

/** The message of the channels `rspool:worker:create`, `rspool:worker:stalled` and `rspool:worker:exit`. */
export interface WorkerMessage {
  /** The pool of the worker. */
  pool: Pool
  /** The number of the worker in its pool; see {@link WorkerStats.id}. */
  id: number
  /** The isolate's number; see {@link WorkerStats.number}. */
  number: number
  /** The `threadId` of the isolate in `node:worker_threads`. */
  threadId: number
  /** The exit code; of `rspool:worker:exit`. */
  exitCode?: number
  /** Of `rspool:worker:stalled`: milliseconds since the isolate was rung. */
  silentMs?: number
  /** Of `rspool:worker:stalled`: the JavaScript stack of the isolate, if it could be read. */
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
  /** The code or the name of the error that it failed with. */
  error: string | undefined
}

/** A distribution of times in milliseconds, within 1 %. All figures are 0 while nothing was measured. */
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
  /** 90 % of the times are at most this. */
  p90: number
  /** 99 % of the times are at most this. */
  p99: number
  /** 99.9 % of the times are at most this. */
  p999: number
}

/** A task that runs. */
export interface RunningTask {
  /** The number that its script sees as `task.id`: no other running task of the pool's thread has it. */
  id: number
  /** The native task's name, the name of the export, or `'(inline)'`. */
  task: string
  /** Milliseconds since it was started. */
  running: number
}

/** The work of a worker at one moment. */
export interface WorkerStack {
  /** Its number in the pool, as in the statistics. */
  id: number
  /** Whether it is a native thread or an isolate. */
  lane: 'native' | 'script'
  /** The tasks that it runs. `progress` is what a native task has counted so far, if it counts; otherwise `null`. */
  tasks: (RunningTask & { progress: { bytes: number; rows: number } | null })[]
  /**
   * One line per frame, the innermost first, as in the `stack` of an error; empty if no JavaScript runs. `null` in the
   * native lane, and for an isolate that did not answer within a second, since it is in a system call, such as that of
   * `execSync`.
   */
  stack: string | null
}

/** How often calls of a pool gave no result, by the reason. */
export interface Outcomes {
  /** The function threw, or the native task gave an error. */
  thrown: number
  /** The task ran longer than its `timeout`. */
  timeout: number
  /** The task waited longer than its `queueTimeout`. */
  queueTimeout: number
  /** The task had not ended at its `deadline`. */
  deadline: number
  /** The signal of the task aborted, before the call or after it, or `cancelQueued()` was called. */
  aborted: number
  /** The input or the result of the task could not be cloned. */
  clone: number
  /** The worker of the task ended. */
  workerExit: number
  /** No worker could be started for the task. */
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
  /** Its number in the pool, as in the events. A later worker may get the number of a worker that has ended. */
  id: number
  /** Whether it is a native thread or an isolate. */
  lane: 'native' | 'script'
  /**
   * `'unresponsive'` is an isolate that was rung a second ago or more, runs no task and does not come. It does not count
   * as idle, and others are started in its place.
   */
  state: 'starting' | 'busy' | 'idle' | 'unresponsive'
  /** Tasks that it has now. A worker that is starting may have some already. */
  running: number
  /** The tasks that it runs now, including those that were given up and have not ended. */
  tasks: RunningTask[]
  /** Tasks that have ended on it, in whatever way. */
  completed: number
  /** Milliseconds since it was started. */
  age: number
  /** Milliseconds that its tasks have run, added up, including those that run now. */
  busyTime: number
  /**
   * Of an isolate, the lowest number from 1 that no other living isolate of the pool had when it was started. While
   * none is being replaced, it is from 1 to `maxThreads`, so it can choose a resource that exists once per worker.
   * `null` in the native lane.
   */
  number: number | null
  /** The `threadId` of the isolate in `node:worker_threads`; `null` in the native lane. */
  threadId: number | null
  /** Milliseconds of CPU that its thread has used, in steps of about 10; `null` if the system does not tell. */
  cpuTime: number | null
  /** The heap of an isolate; `null` until it was read, and in the native lane. */
  heap: WorkerHeap | null
  /** The event loop utilization of an isolate since it was started; `null` in the native lane. */
  eventLoopUtilization: EventLoopUtilization | null
}

/** A pool at one moment. */
export interface PoolStats {
  /** The workers of both lanes. */
  workers: WorkerStats[]
  /** Workers that run a task. */
  busy: number
  /** Workers that run no task. Workers that are starting or unresponsive are not counted. */
  idle: number
  /** Tasks that wait. */
  queued: number
  /** Tasks that run, including those that were given up and have not ended. */
  running: number
  /** Tasks that returned. */
  completed: number
  /** Tasks that threw, were given up or lost their worker. Refused calls are not counted. */
  failed: number
  /** How often calls gave no result, by the reason. `failed` is the sum of all but `refused`. */
  outcomes: Outcomes
  /** Milliseconds that the oldest waiting task has waited; `null` if none waits. */
  oldestQueued: number | null
  /** Milliseconds that the oldest running task has run; `null` if none runs. */
  oldestRunning: number | null
  /** Bytes of the waiting inputs. Numbers, and inputs that a port carries, are not counted. */
  queuedBytes: number
  /** From the call to the start of a task. */
  waitTime: Percentiles
  /** From the start of a task to its end. */
  runTime: Percentiles
  /**
   * The time that tasks have run, including those that run now, as a share of `maxThreads` times the age of the pool, 0
   * to 1.
   */
  utilization: number
}
