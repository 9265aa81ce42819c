/** What is told of tasks and workers while they run. */

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
  pool: Pool
  /** The native task's name, the name of the export, or `'(inline)'`. */
  task: string
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

/** What subscribers of the channels `rspool:worker:create` and `rspool:worker:exit` get. */
export interface WorkerMessage {
  pool: Pool
  id: number
  threadId: number
  /** Of `rspool:worker:exit`. */
  exitCode?: number
}

/** The `detail` of the measures `rspool:task` that a pool with `timing: true` makes. */
export interface TaskMeasure {
  /** The pool's `name`. */
  pool: string
  task: string
  lane: 'native' | 'script'
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
