/// <reference types="node" />

import type { EventEmitterAsyncResource } from 'node:events'
import type { ResourceLimits, SHARE_ENV, Worker } from 'node:worker_threads'
import type * as rspool from './index.js'
import type * as symbols from './types/symbols.js'

/**
 * piscina's class over the same pool as the rest of rspool: what was written for piscina 5 runs when
 * it imports this instead. What differs is in docs/migrate/piscina.md.
 */
declare class Piscina<T = any, R = any> extends EventEmitterAsyncResource {
  /** @throws TypeError or RangeError for an option that is not allowed, in the words of piscina */
  constructor(options?: Piscina.Options)

  /**
   * Calls the script's function.
   * @param task its input, copied when the call is made; of tasks that a `taskQueue`, a `loadBalancer` or
   *   `concurrentTasksPerWorker` holds back, when they are given to a thread
   * @throws (rejects) what the function throws; `AbortError`; `Error` with one of the messages "Task queue is
   *   at limit", "No task queue available and all Workers are busy", "Terminating worker thread", "worker
   *   exited with code: n"; TypeError for options that are not allowed
   */
  run(task: T, options?: Piscina.RunOptions): Promise<R>
  /** Takes no more tasks, waits for those that there are, ends the threads, and emits `close`. */
  close(options?: Piscina.CloseOptions): Promise<void>
  /** Rejects all tasks and ends the threads. */
  destroy(): Promise<void>
  [Symbol.dispose](): void
  [Symbol.asyncDispose](): Promise<void>

  readonly maxThreads: number
  readonly minThreads: number
  /** The options with the defaults filled in. */
  readonly options: Piscina.FilledOptions
  /** The threads, the starting ones too. */
  readonly threads: Worker[]
  /** How many threads have nothing to do. */
  readonly idleThreads: number
  /** How many tasks wait that the threads, the starting ones too, cannot take yet. */
  readonly queueSize: number
  /** How many tasks have ended, in whatever way. */
  readonly completed: number
  readonly histogram: Piscina.PiscinaHistogram
  /** Time that tasks ran, as a share of `duration` times `maxThreads`. 0 without `recordTiming`. */
  readonly utilization: number
  /** Milliseconds since this object was made. */
  readonly duration: number
  /** Whether as many tasks are there as the threads can run. */
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
    /** How many tasks may share a thread; an abortable one never does. @default 1 */
    concurrentTasksPerWorker?: number | undefined
    /** Taken, and of no effect: threads are never blocked here. @default 'sync' */
    atomics?: 'sync' | 'async' | 'disabled' | undefined
    resourceLimits?: ResourceLimits | undefined
    argv?: any[] | undefined
    execArgv?: string[] | undefined
    env?: NodeJS.ProcessEnv | typeof SHARE_ENV | undefined
    /** What scripts see as `workerData`. */
    workerData?: any
    /** Which task is next. @default first in, first out */
    taskQueue?: TaskQueue | undefined
    /** By how much the threads are nicer than the process. @default 0 */
    niceIncrement?: number | undefined
    /** @default true */
    trackUnmanagedFds?: boolean | undefined
    /** Milliseconds after which `close()` ends all that still runs. @default 30000 */
    closeTimeout?: number | undefined
    /** Whether there is anything in `histogram`. @default true */
    recordTiming?: boolean | undefined
    /** Whether a task that the balancer refuses stays the first of the queue. @default false */
    stricterFIFO?: boolean | undefined
    /** Which thread takes a task; null if none is to. @default the one that does least */
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
    /** What is moved instead of copied. @default [] */
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

  /** What a queue holds. */
  interface Task {
    /** What the input has under `queueOptionsSymbol`. */
    readonly [queueOptionsSymbol]: object | null
  }

  /** What a load balancer sees of a task. */
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

  /** What a load balancer sees of a thread. */
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

  /** By this property an input tells the queue how it is to be treated. */
  const queueOptionsSymbol: unique symbol
  /** The property by which an object says what of it is moved: one thing or an array. */
  const transferableSymbol: typeof symbols.transferableSymbol
  /** The property by which an object says what arrives in its place. */
  const valueSymbol: typeof symbols.valueSymbol
  /** Whether this is a thread of a pool. */
  const isWorkerThread: boolean
  /** The option of the pool whose thread this is. */
  const workerData: any
  /** The version of piscina whose interface this is. */
  const version: string
  /** As {@link rspool.move}; an object that says itself what is moved is marked, and given back. */
  function move(value: any): any
}

export = Piscina
