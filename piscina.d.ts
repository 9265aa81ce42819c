/// <reference types="node" />

import type { EventEmitterAsyncResource } from 'node:events'
import type { ResourceLimits, SHARE_ENV, Worker } from 'node:worker_threads'
import type * as rspool from './index.js'
import type * as symbols from './types/symbols.js'

/**
 * piscina's class over the same pool as the rest of rspool. Code for piscina 5 runs when it imports this module
 * instead. docs/migrate/piscina.md lists the differences.
 */
declare class Piscina<T = any, R = any> extends EventEmitterAsyncResource {
  /** @throws TypeError or RangeError for an option that is not allowed, with piscina's message */
  constructor(options?: Piscina.Options)

  /**
   * Calls the script's function.
   * @param task its input, copied when the call is made; of tasks that a `taskQueue`, a `loadBalancer` or
   *   `concurrentTasksPerWorker` holds back, when they are given to a thread
   * @throws (rejects) the error that the function throws; `AbortError`; `Error` with one of the messages "Task queue is
   *   at limit", "No task queue available and all Workers are busy", "Terminating worker thread", "worker exited with
   *   code: n"; TypeError for options that are not allowed
   */
  run(task: T, options?: Piscina.RunOptions): Promise<R>
  /** Takes no more tasks, waits for the ones that it has, ends the threads, and emits `close`. */
  close(options?: Piscina.CloseOptions): Promise<void>
  /** Rejects all tasks and ends the threads. */
  destroy(): Promise<void>
  [Symbol.dispose](): void
  [Symbol.asyncDispose](): Promise<void>

  readonly maxThreads: number
  readonly minThreads: number
  /** The options with the defaults filled in. */
  readonly options: Piscina.FilledOptions
  /** The threads, including the starting ones. */
  readonly threads: Worker[]
  /** How many threads have nothing to do. */
  readonly idleThreads: number
  /** How many tasks wait, beyond those that the threads, including the starting ones, can take. */
  readonly queueSize: number
  /** How many tasks have ended, in whatever way. */
  readonly completed: number
  readonly histogram: Piscina.PiscinaHistogram
  /** The time that tasks have run, as a share of `duration` times `maxThreads`. 0 without `recordTiming`. */
  readonly utilization: number
  /** Milliseconds since this object was made. */
  readonly duration: number
  /** Whether there are at least as many tasks as the threads can run. */
  readonly needsDrain: boolean

  static readonly Piscina: typeof Piscina
}

declare namespace Piscina {
  interface Options {
    /** The script: a path or a `file:` URL. @default null */
    filename?: string | null | undefined
    /** The export that is called. @default 'default' */
    name?: string | null | undefined
    /** @default half of the cores, at least 1 */
    minThreads?: number | undefined
    /** @default one and a half times the cores */
    maxThreads?: number | undefined
    /** Milliseconds after which an idle thread beyond `minThreads` ends. @default 0 */
    idleTimeout?: number | undefined
    /** How many tasks may wait; 'auto' is the square of `maxThreads`. @default Infinity */
    maxQueue?: number | 'auto' | undefined
    /** How many tasks may share a thread. An abortable task never shares one. @default 1 */
    concurrentTasksPerWorker?: number | undefined
    /** Accepted, but without effect: threads are never blocked here. @default 'sync' */
    atomics?: 'sync' | 'async' | 'disabled' | undefined
    resourceLimits?: ResourceLimits | undefined
    argv?: any[] | undefined
    execArgv?: string[] | undefined
    env?: NodeJS.ProcessEnv | typeof SHARE_ENV | undefined
    /** The `workerData` of the scripts. */
    workerData?: any
    /** Chooses the next task. @default first in, first out */
    taskQueue?: TaskQueue | undefined
    /** Added to the niceness of the threads. @default 0 */
    niceIncrement?: number | undefined
    /** @default true */
    trackUnmanagedFds?: boolean | undefined
    /** Milliseconds after which `close()` ends the tasks that still run. @default 30000 */
    closeTimeout?: number | undefined
    /** Whether times are recorded in `histogram`. @default true */
    recordTiming?: boolean | undefined
    /** Whether a task that the balancer refuses stays at the head of the queue. @default false */
    stricterFIFO?: boolean | undefined
    /** Chooses the thread for a task; null means none. @default the thread with the least to do */
    loadBalancer?: PiscinaLoadBalancer | undefined
    /** Whether each thread has a `histogram`. @default false */
    workerHistogram?: boolean | undefined
  }

  interface FilledOptions extends Options {
    filename: string | null
    name: string
    minThreads: number
    maxThreads: number
    idleTimeout: number
    maxQueue: number
    concurrentTasksPerWorker: number
    atomics: 'sync' | 'async' | 'disabled'
    taskQueue: TaskQueue
    niceIncrement: number
    trackUnmanagedFds: boolean
    closeTimeout: number
    recordTiming: boolean
    stricterFIFO: boolean
    workerHistogram: boolean
  }

  interface RunOptions {
    /** Objects to move instead of copying them. @default [] */
    transferList?: readonly object[] | undefined
    /** Another script. @default the `filename` of the constructor */
    filename?: string | null | undefined
    /** Gives the task up; the thread that runs it is ended. */
    signal?: AbortSignalAny | null | undefined
    /** Another export. @default the `name` of the constructor */
    name?: string | null | undefined
  }

  interface CloseOptions {
    /** Whether tasks that have not started are aborted. @default false */
    force?: boolean | undefined
  }

  /** An AbortSignal, or an emitter of `'abort'`. */
  type AbortSignalAny =
    | AbortSignal
    | { once(event: 'abort', listener: () => void): unknown; on(event: 'abort', listener: () => void): unknown }

  /** An entry of a queue. */
  interface Task {
    /** The value that the input has under `queueOptionsSymbol`. */
    readonly [queueOptionsSymbol]: object | null
  }

  /** A task, as a load balancer sees it. */
  interface PiscinaTask extends Task {
    taskId: number
    filename: string
    name: string
    created: number
    isAbortable: boolean
  }

  interface TaskQueue {
    readonly size: number
    shift(): Task | null
    remove(task: Task): void
    push(task: Task): void
    unshift?(task: Task): void
  }

  /** A thread, as a load balancer sees it. */
  interface PiscinaWorker {
    readonly id: number
    /** Tasks that it has; Infinity while it runs an abortable one. */
    readonly currentUsage: number
    readonly isRunningAbortableTask: boolean
    readonly histogram: PiscinaHistogramSummary | null
    readonly terminating: boolean
    readonly destroyed: boolean
  }

  type PiscinaLoadBalancer = (task: PiscinaTask, workers: PiscinaWorker[]) => PiscinaWorker | null | undefined

  /** Times in milliseconds. */
  interface PiscinaHistogramSummary {
    average: number
    mean: number
    stddev: number
    min: number
    max: number
    p0_001: number
    p0_01: number
    p0_1: number
    p1: number
    p2_5: number
    p10: number
    p25: number
    p50: number
    p75: number
    p90: number
    p97_5: number
    p99: number
    p99_9: number
    p99_99: number
    p99_999: number
  }

  interface PiscinaHistogram {
    readonly runTime: PiscinaHistogramSummary
    readonly waitTime: PiscinaHistogramSummary
    resetRunTime(): void
    resetWaitTime(): void
  }

  /** First in, first out, in constant time. */
  class FixedQueue implements TaskQueue {
    readonly size: number
    isEmpty(): boolean
    push(task: Task): void
    unshift(task: Task): void
    shift(): Task | null
    remove(task: Task): void
  }

  /** First in, first out, over an array. */
  class ArrayTaskQueue implements TaskQueue {
    tasks: Task[]
    readonly size: number
    push(task: Task): void
    unshift(task: Task): void
    shift(): Task | null
    remove(task: Task): void
  }

  /** The property with which an input passes options to the queue. */
  const queueOptionsSymbol: unique symbol
  /** The property with which an object names the parts of it to move: one object or an array. */
  const transferableSymbol: typeof symbols.transferableSymbol
  /** The property with which an object gives the value that arrives in its place. */
  const valueSymbol: typeof symbols.valueSymbol
  /** Whether this is a thread of a pool. */
  const isWorkerThread: boolean
  /** The option of the pool whose thread this is. */
  const workerData: any
  /** The version of piscina whose interface this is. */
  const version: string
  /** As {@link rspool.move}. An object that itself names the parts to move is marked, and returned. */
  function move(value: any): any
}

export = Piscina
