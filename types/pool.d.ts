/** The pool: its options, its ways to call, its readings. */

import type { AsyncLocalStorage } from 'node:async_hooks'
import type { EventEmitter } from 'node:events'
import type { EventLoopUtilization } from 'node:perf_hooks'
import type { Duplex } from 'node:stream'
import type { ResourceLimits, SHARE_ENV } from 'node:worker_threads'
import type { NativeEncoding, NativeInput, NativeOptions, NativeResult, NativeTaskName } from '../index.js'
import type { PoolHistograms, TaskMeasure, WorkerHeap } from './observation.js'
import type {
  AnyExports,
  BroadcastOptions,
  Channel,
  ChannelOptions,
  ExportName,
  Exports,
  Filename,
  Inputs,
  Item,
  MapOptions,
  Moved,
  move,
  NativeMapOptions,
  OneArgument,
  OwnInput,
  OwnOptions,
  Results,
  RunOptions,
  ScriptOptions,
  ScriptTask,
  SettledOptions,
  StreamOptions,
  StreamSource,
  SyncOptions,
  TaskResult,
  Transferable,
  transferableSymbol,
  valueSymbol
} from './tasks.js'

/** The options of a pool. One that is unknown or not allowed throws `ERR_RSPOOL_INVALID_ARGUMENT`. */
export interface PoolOptions {
  /**
   * The script whose functions the pool runs; without one the pool runs native tasks, inline functions and
   * `{ filename }` tasks. A script that cannot be loaded rejects its tasks with
   * `ERR_RSPOOL_WORKER_START`. @default none
   */
  filename?: Filename | undefined
  /** The export that `run` calls; also in the names of the pool's threads. @default 'default' */
  name?: string | undefined
  /**
   * Workers of each lane that are kept, 0 to 1024 and at most `maxThreads`; with a `filename` those of the
   * script lane are started at once. @default 1
   */
  minThreads?: number | undefined
  /**
   * Workers of each lane at most, 1 to 1024; over both lanes no more than this many are busy at a time.
   * @default cpuCount()
   */
  maxThreads?: number | undefined
  /** Milliseconds after which an idle worker beyond `minThreads` ends; `Infinity` is never. @default 60000 */
  idleTimeout?: number | undefined
  /**
   * Tasks that may wait beyond what the workers, started or not, can take; one more rejects with
   * `ERR_RSPOOL_QUEUE_FULL`. `'auto'` is `maxThreads` squared. @default Infinity
   */
  maxQueue?: number | 'auto' | undefined
  /**
   * Bytes that an encoded input may have; a larger one rejects with `ERR_RSPOOL_INPUT_TOO_LARGE`. Inputs that
   * only a port can carry (class instances, SharedArrayBuffers, `transferList`) are not measured.
   * @default Infinity
   */
  maxInputSize?: number | undefined
  /** Tasks that an isolate runs at once, 1 to 65536; more than 1 is for functions that wait. @default 1 */
  concurrentTasksPerWorker?: number | undefined
  /** Milliseconds that a task may run, above 0; see {@link TaskOptions.timeout}. @default Infinity */
  timeout?: number | undefined
  /** Milliseconds that a task may wait, above 0; see {@link TaskOptions.queueTimeout}. @default Infinity */
  queueTimeout?: number | undefined
  /**
   * Milliseconds that a script task gets to end after it was given up; then its isolate is terminated and
   * replaced. `Infinity` never terminates. @default 100
   */
  abortGrace?: number | undefined
  /** How often a task may start again after its isolate has died; see {@link TaskOptions.retries}. @default 0 */
  retries?: number | undefined
  /**
   * What `workerData` of `node:worker_threads` is in the scripts, and what `setup` gets. Copied for each
   * worker when it starts. @default undefined
   */
  workerData?: any
  /** What of `workerData` is moved; only for pools of one worker, since it is gone then. @default [] */
  transferList?: readonly Transferable[] | undefined
  /** `process.env` of the workers, copied; `SHARE_ENV` shares that of this thread. @default process.env */
  env?: NodeJS.Dict<string> | typeof SHARE_ENV | undefined
  /** What is added to `process.argv` of the workers. @default [] */
  argv?: readonly any[] | undefined
  /** Options of Node.js for the workers. @default process.execArgv */
  execArgv?: readonly string[] | undefined
  /** Limits of the engine in each worker; beyond them it ends and its tasks reject. @default none */
  resourceLimits?: ResourceLimits | undefined
  /** Whether a worker closes the file descriptors that its scripts left open when it ends. @default true */
  trackUnmanagedFds?: boolean | undefined
  /**
   * Where what the workers write to stdout goes: `'inherit'` to that of the process, `'pipe'` to the pool's
   * `stdout` event, `'ignore'` nowhere. @default 'inherit'
   */
  stdout?: 'inherit' | 'pipe' | 'ignore' | undefined
  /** The same for stderr, with the `stderr` event. @default 'inherit' */
  stderr?: 'inherit' | 'pipe' | 'ignore' | undefined
  /**
   * What each line begins with that workers write to an output that is inherited; true is `[name id] `, with the
   * pool's name and the worker's id. A line that is not ended is written when the worker ends. @default none
   */
  outputPrefix?: string | boolean | undefined
  /**
   * Milliseconds that a worker may take to load its script and run its `setup`, above 0; `Infinity` is no limit.
   * Then it is terminated, and what waits rejects with `ERR_RSPOOL_WORKER_START`. As many for the `teardown` of
   * a worker that retires. @default 60000
   */
  startTimeout?: number | undefined
  /** What the tasks of a group may use, by its name; groups that are not named here have weight 1. @default {} */
  groups?: Readonly<Record<string, GroupOptions>> | undefined
  /**
   * When isolates are replaced. Not with `isolate`. @default never
   */
  recycle?: RecycleOptions | undefined
  /**
   * Whether each task gets an isolate of its own, made while others run. Not with `recycle`, nor with
   * `concurrentTasksPerWorker` above 1. @default false
   */
  isolate?: boolean | undefined
  /**
   * What is added to the niceness of the workers' threads, 0 to 19. On Linux only; elsewhere, and where the
   * system refuses, nothing happens. @default 0
   */
  niceIncrement?: number | undefined
  /**
   * Whether each worker's thread stays on one CPU of those that the process may use, the one with the fewest
   * pinned workers. On Linux only; elsewhere nothing happens. @default false
   */
  pin?: boolean | undefined
  /**
   * Stores whose values at the time of a call travel with it, by the names under which the script finds its
   * own in `context` of `rspool/worker`. A value that cannot be cloned rejects that call with
   * `DataCloneError`. Native tasks have no context. @default none
   */
  context?: { readonly [name: string]: AsyncLocalStorage<any> } | undefined
  /**
   * Whether each task is a `performance.measure` named `rspool:task`; its detail is a {@link TaskMeasure}.
   * @default false
   */
  timing?: boolean | undefined
}

/** What the tasks of a group may use. */
export interface GroupOptions {
  /**
   * Its share of the pool's time, against the weights of the other groups that have tasks: 0.001 to 1000000.
   * @default 1
   */
  weight?: number | undefined
  /** Tasks of it that run at once, over both lanes; 1 to 1000000 or `Infinity`. @default Infinity */
  maxRunning?: number | undefined
}

/**
 * When an isolate is replaced. Another is made ready first, one at a time, and then it ends its tasks and
 * retires. Limits vary by a tenth from worker to worker, except `rss`.
 */
export interface RecycleOptions {
  /** After so many tasks, 1 to 4294967294. @default never */
  tasks?: number | undefined
  /** When its used heap has more bytes, as seen after a task, at most every 100 ms. @default never */
  heap?: number | undefined
  /** So many milliseconds after it was ready, 1 to 2147483647. @default never */
  age?: number | undefined
  /**
   * When the process has more bytes in memory, and a tenth more than when this isolate was ready, as seen
   * after a task, at most every 100 ms. @default never
   */
  rss?: number | undefined
}

/** A pool's options with the defaults filled in. Frozen. */
export interface ResolvedPoolOptions
  extends Readonly<
    Omit<
      PoolOptions,
      | 'filename'
      | 'name'
      | 'minThreads'
      | 'maxThreads'
      | 'idleTimeout'
      | 'maxQueue'
      | 'concurrentTasksPerWorker'
      | 'abortGrace'
      | 'startTimeout'
    >
  > {
  /** The script as an URL. */
  readonly filename?: string | undefined
  readonly name: string
  readonly minThreads: number
  readonly maxThreads: number
  readonly idleTimeout: number
  readonly maxQueue: number
  readonly concurrentTasksPerWorker: number
  readonly abortGrace: number
  readonly startTimeout: number
}

/** A distribution of times in milliseconds, within 1 %; all 0 while nothing was measured. */
export interface Percentiles {
  /** How many were measured. */
  count: number
  min: number
  max: number
  mean: number
  p50: number
  p90: number
  p99: number
  p999: number
}

/** A worker at one moment. */
export interface WorkerStats {
  /** Its number in the pool, as in the events; one that has ended leaves it to a later one. */
  id: number
  lane: 'native' | 'script'
  state: 'starting' | 'busy' | 'idle'
  /** Tasks that it runs now. */
  running: number
  /** Tasks that it has ended, in whatever way. */
  completed: number
  /** Milliseconds since it was started. */
  age: number
  /** Milliseconds that the tasks which it has ended ran, added up. */
  busyTime: number
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
  /** Workers that run none; those that start are not counted. */
  idle: number
  /** Tasks that wait. */
  queued: number
  /** Tasks that run, those included that were given up and have not ended. */
  running: number
  /** Tasks that returned. */
  completed: number
  /** Tasks that ended otherwise: threw, were given up, lost their worker. Refused ones are not counted. */
  failed: number
  /** Bytes of the inputs that wait; numbers and what waits for a port are not counted. */
  queuedBytes: number
  /** From the call to the start of a task. */
  waitTime: Percentiles
  /** From the start of a task to its end. */
  runTime: Percentiles
  /** The time that tasks ran, as a share of `maxThreads` times the age of the pool, 0 to 1. */
  utilization: number
}

/** The events of a pool, with the arguments of their listeners. */
export interface PoolEvents {
  /** No more tasks are waiting or running than the workers can take, after there were more. */
  drain: []
  /** A worker failed while it ran no task. Without a listener it is a warning of the process. */
  error: [error: unknown]
  /** An isolate is ready for tasks. */
  workerCreate: [worker: { id: number; threadId: number }]
  /** An isolate has ended. */
  workerExit: [worker: { id: number; threadId: number; exitCode: number }]
  /** A script posted a message with `parentPort.postMessage()` that is no result. */
  message: [message: any]
  /** A worker wrote to its stdout; with the option `stdout: 'pipe'` only. */
  stdout: [chunk: Buffer, worker: { id: number; threadId: number }]
  /** A worker wrote to its stderr; with the option `stderr: 'pipe'` only. */
  stderr: [chunk: Buffer, worker: { id: number; threadId: number }]
  /** The pool has ended. */
  close: []
}

/**
 * A scheduler with a lane of native threads and one of isolates. It queues tasks, runs them on workers that
 * it starts on demand, and settles each promise exactly once. An idle pool keeps no process alive; a
 * pending task does.
 *
 * @typeParam Input what the function that `run` calls takes
 * @typeParam Result what it gives, awaited
 */
export class Pool<Input = any, Result = any> extends EventEmitter<PoolEvents> {
  /** @throws `ERR_RSPOOL_INVALID_ARGUMENT` for an unknown option or a value that is not allowed */
  constructor(options?: PoolOptions)

  /**
   * Calls the function that the pool's `filename` and `name` say.
   *
   * `input` is copied as `structuredClone` copies, when the call is made; SharedArrayBuffers in it are
   * shared, and what `transferList` names is moved. A Buffer arrives as a Uint8Array. The result comes back
   * in the same way.
   *
   * The promise rejects with what the function throws (name, message, stack, own properties and cause kept),
   * with `DataCloneError` if a value cannot be cloned, with `ABORT_ERR`, or with a code of {@link ErrorCode}.
   */
  run<T = Result>(input?: Input | Moved<Input>, options?: OwnOptions<Input>): Promise<T>
  /** Calls another export, or an export of another script. */
  run<T = any>(input: any, options: RunOptions & ({ name: string } | { filename: Filename })): Promise<T>

  /**
   * Runs a native task. Bytes that it takes are copied, those that it gives are a Buffer of its own.
   * @param task its name, which has a dot
   */
  runTask<K extends NativeTaskName, const I extends NativeInput<K>, const E extends NativeEncoding<K> = never>(
    task: K,
    input: I,
    options?: NativeOptions<K, E>
  ): Promise<NativeResult<K, I, E>>
  /**
   * Runs an inline function. Its text is compiled once in each worker, so it sees no variable around it (one
   * that it uses rejects with `ERR_RSPOOL_INVALID_ARGUMENT`), but `require` and `import()` of the file that
   * calls this with it first.
   * @param args its arguments, copied
   */
  runTask<A extends unknown[], R>(
    task: (...args: A) => R,
    args: readonly [...A],
    options?: ScriptOptions
  ): Promise<TaskResult<R>>
  /** Runs an inline function with one argument that is no array. */
  runTask<I, R>(task: (input: I) => R, input: OneArgument<I>, options?: ScriptOptions): Promise<TaskResult<R>>
  /** Runs an inline function without arguments. */
  runTask<R>(task: () => R, input?: undefined, options?: ScriptOptions): Promise<TaskResult<R>>
  /** Calls an export of another script. */
  runTask<T = any>(task: ScriptTask, input?: any, options?: ScriptOptions): Promise<T>
  /** Calls an export of the pool's script. */
  runTask<T = any, N extends string = string>(task: ExportName<N>, input?: any, options?: ScriptOptions): Promise<T>
  /** Calls the function that `run` calls: any other value is its input. */
  runTask<T = Result>(input: OwnInput<Input>, options?: OwnOptions<Input>): Promise<T>

  /**
   * As {@link run}, and blocks the calling thread until the task has ended: gives its result, or throws what
   * `run` would reject with. Isolates are started and replaced meanwhile; promises of other calls settle
   * afterwards. It takes no `onProgress`, and a signal counts only if it has aborted already.
   * @throws also `ERR_RSPOOL_DEADLOCK` while the pool is paused
   */
  runSync<T = Result>(input?: Input, options?: OwnOptions<Input> & { onProgress?: undefined }): T
  /** Calls another export, or an export of another script, and blocks until it has ended. */
  runSync<T = any>(
    input: any,
    options: RunOptions & { onProgress?: undefined } & ({ name: string } | { filename: Filename })
  ): T

  /** As {@link runTask} for a native task, and blocks until it has ended; see {@link runSync}. */
  runTaskSync<K extends NativeTaskName, const I extends NativeInput<K>, const E extends NativeEncoding<K> = never>(
    task: K,
    input: I,
    options?: NativeOptions<K, E>
  ): NativeResult<K, I, E>
  /** Runs an inline function, and blocks until it has ended. */
  runTaskSync<A extends unknown[], R>(
    task: (...args: A) => R,
    args: readonly [...A],
    options?: SyncOptions
  ): TaskResult<R>
  /** Runs an inline function with one argument that is no array, and blocks until it has ended. */
  runTaskSync<I, R>(task: (input: I) => R, input: OneArgument<I>, options?: SyncOptions): TaskResult<R>
  /** Runs an inline function without arguments, and blocks until it has ended. */
  runTaskSync<R>(task: () => R, input?: undefined, options?: SyncOptions): TaskResult<R>
  /** Calls an export of another script, and blocks until it has ended. */
  runTaskSync<T = any>(task: ScriptTask, input?: any, options?: SyncOptions): T
  /** Calls an export of the pool's script, and blocks until it has ended. */
  runTaskSync<T = any, N extends string = string>(task: ExportName<N>, input?: any, options?: SyncOptions): T
  /** Calls the function that `run` calls, and blocks until it has ended. */
  runTaskSync<T = Result>(input: OwnInput<Input>, options?: OwnOptions<Input> & { onProgress?: undefined }): T

  /**
   * Calls a task for each input, a window of them at a time, and gives the results as an async iterator.
   * Inputs are pulled when there is room for them, and results wait to be taken, so that memory stays flat.
   *
   * The first error ends it, after the results before: what a call throws, what the source throws, `ABORT_ERR`
   * or a code of {@link ErrorCode}. Leaving the loop gives up what runs and closes the source.
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT`, `ERR_RSPOOL_UNKNOWN_TASK` at the call, for what cannot be right
   */
  map<K extends NativeTaskName, const E extends NativeEncoding<K> = never, I extends NativeInput<K> = NativeInput<K>>(
    inputs: Inputs<I>,
    task: K,
    options?: MapOptions & NativeMapOptions<K, E>
  ): Results<NativeResult<K, I, E>>
  /** Calls an inline function: each input is the list of its arguments. */
  map<A extends unknown[], R>(
    inputs: Inputs<readonly [...A]>,
    task: (...args: A) => R,
    options?: MapOptions
  ): Results<TaskResult<R>>
  /** Calls an inline function with one argument that is no array. */
  map<I, R>(inputs: Inputs<OneArgument<I>>, task: (input: I) => R, options?: MapOptions): Results<TaskResult<R>>
  /** Calls an export of another script. */
  map<T = any>(inputs: Inputs<any>, task: ScriptTask, options?: MapOptions): Results<T>
  /** Calls an export of the pool's script. */
  map<T = any, N extends string = string>(inputs: Inputs<any>, task: ExportName<N>, options?: MapOptions): Results<T>
  /** Calls the function that `run` calls. */
  map<T = Result>(inputs: Inputs<Input>, task?: undefined, options?: MapOptions): Results<T>

  /**
   * As {@link map} for all inputs, and gives how each ended, in their order, as `Promise.allSettled` does. A
   * call that fails rejects nothing; the source's error, an abort and the end of the pool do.
   */
  settled<
    K extends NativeTaskName,
    const E extends NativeEncoding<K> = never,
    I extends NativeInput<K> = NativeInput<K>
  >(
    inputs: Inputs<I>,
    task: K,
    options?: SettledOptions & NativeMapOptions<K, E>
  ): Promise<PromiseSettledResult<NativeResult<K, I, E>>[]>
  /** Calls an inline function: each input is the list of its arguments. */
  settled<A extends unknown[], R>(
    inputs: Inputs<readonly [...A]>,
    task: (...args: A) => R,
    options?: SettledOptions
  ): Promise<PromiseSettledResult<TaskResult<R>>[]>
  /** Calls an inline function with one argument that is no array. */
  settled<I, R>(
    inputs: Inputs<OneArgument<I>>,
    task: (input: I) => R,
    options?: SettledOptions
  ): Promise<PromiseSettledResult<TaskResult<R>>[]>
  /** Calls an export of another script. */
  settled<T = any>(inputs: Inputs<any>, task: ScriptTask, options?: SettledOptions): Promise<PromiseSettledResult<T>[]>
  /** Calls an export of the pool's script. */
  settled<T = any, N extends string = string>(
    inputs: Inputs<any>,
    task: ExportName<N>,
    options?: SettledOptions
  ): Promise<PromiseSettledResult<T>[]>
  /** Calls the function that `run` calls. */
  settled<T = Result>(
    inputs: Inputs<Input>,
    task?: undefined,
    options?: SettledOptions
  ): Promise<PromiseSettledResult<T>[]>

  /**
   * Runs a task once in every isolate that is ready and is to stay, each when it has room, and gives the
   * results in the order of their ids; in a pool that has none, `minThreads` and at least one are started
   * first. Those that get ready later are not asked, and one that ends before its turn is left out.
   *
   * When all have ended, it rejects with the first error, in the same order.
   * @param task an export of the pool's script, `{ filename, name }`, an inline function, or undefined for the
   *   function that `run` calls; no native task
   * @param input copied for each; with an inline function, the list of its arguments
   */
  broadcast<A extends unknown[], R>(
    task: (...args: A) => R,
    args: readonly [...A],
    options?: BroadcastOptions
  ): Promise<TaskResult<R>[]>
  broadcast<I, R>(task: (input: I) => R, input: OneArgument<I>, options?: BroadcastOptions): Promise<TaskResult<R>[]>
  broadcast<R>(task: () => R, input?: undefined, options?: BroadcastOptions): Promise<TaskResult<R>[]>
  broadcast<T = any, N extends string = string>(
    task: ExportName<N>,
    input?: any,
    options?: BroadcastOptions
  ): Promise<T[]>
  broadcast<T = any>(task: ScriptTask | undefined, input?: any, options?: BroadcastOptions): Promise<T[]>

  /**
   * Calls a generator function, or another that gives an iterable, and gives its items as they come, in their
   * order. The task begins when the first item is asked for, and the generator runs ahead as far as
   * `highWaterMark` says. Leaving the loop closes the generator: its `finally` blocks run, within `abortGrace`.
   *
   * An async iterable or an iterator as input is read item by item; the function gets an async iterable.
   *
   * What goes wrong is thrown after the items before it: what the generator throws, `DataCloneError`, or a
   * code of {@link ErrorCode}; `ABORT_ERR` at once.
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT`, `ERR_RSPOOL_UNKNOWN_TASK` at the call, for what cannot be right
   */
  stream<A extends unknown[], T>(
    task: (...args: A) => StreamSource<T> | Promise<StreamSource<T>>,
    args: readonly [...A],
    options?: StreamOptions
  ): Results<Item<T>>
  /** Streams what an inline function with one argument, which is no array, gives. */
  stream<I, T>(
    task: (input: I) => StreamSource<T> | Promise<StreamSource<T>>,
    input: OneArgument<I>,
    options?: StreamOptions
  ): Results<Item<T>>
  /** Streams what a function of a script gives: an export by name, or the one that `run` calls. */
  stream<T = any>(task: string | ScriptTask | undefined, input?: any, options?: StreamOptions): Results<T>

  /**
   * A Duplex in object mode around a generator function: what is written is its input, an async iterable;
   * what it yields is read. Begins with the first chunk or the first read. `null` cannot be yielded.
   * @throws as {@link stream}
   */
  pipe(task?: string | ScriptTask | ((input: any) => StreamSource<any>) | undefined, options?: StreamOptions): Duplex

  /**
   * Runs a task, and gives a port to it: the other end is `task.port` of `rspool/worker`. Both ends are closed
   * when the task has ended, in whatever way; messages that the function sent before it ended still arrive.
   * @returns the port, and the promise that {@link runTask} would give
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT`, `ERR_RSPOOL_UNKNOWN_TASK` at the call, for what cannot be right
   */
  channel<A extends unknown[], R>(
    task: (...args: A) => R,
    args: readonly [...A],
    options?: ChannelOptions
  ): Channel<TaskResult<R>>
  /** Runs an inline function with one argument that is no array. */
  channel<I, R>(task: (input: I) => R, input: OneArgument<I>, options?: ChannelOptions): Channel<TaskResult<R>>
  /** Runs an inline function without arguments. */
  channel<R>(task: () => R, input?: undefined, options?: ChannelOptions): Channel<TaskResult<R>>
  /** Calls an export of another script. */
  channel<T = any>(task: ScriptTask, input?: any, options?: ChannelOptions): Channel<T>
  /** Calls an export of the pool's script. */
  channel<T = any, N extends string = string>(task: ExportName<N>, input?: any, options?: ChannelOptions): Channel<T>
  /** Calls the function that `run` calls. */
  channel<T = Result>(task?: undefined, input?: Input, options?: ChannelOptions): Channel<T>

  /**
   * The exports of the pool's script as functions: `pool.exports<typeof import('./worker.js')>().square(7)` is
   * `pool.run(7, { name: 'square' })`. One object a pool, one function a name. There is no `then` and no
   * `toJSON`, so that it can be awaited and logged.
   *
   * @typeParam M the script's module
   */
  exports<M = any>(): 0 extends 1 & M ? AnyExports : Exports<M>
  /** The same as {@link exports}. */
  proxy<M = any>(): 0 extends 1 & M ? AnyExports : Exports<M>

  /**
   * Refuses new tasks with `ERR_RSPOOL_POOL_CLOSED`, lets queued and running ones finish, runs `teardown` of
   * the scripts, and resolves when every worker has ended. May be called any number of times.
   * @param options.force as {@link destroy}
   * @param options.timeout milliseconds after which what has not ended is ended as by {@link destroy}
   */
  close(options?: { force?: boolean | undefined; timeout?: number | undefined }): Promise<void>
  /**
   * Rejects queued and running tasks with `ERR_RSPOOL_POOL_CLOSED`, terminates the isolates, and resolves
   * when every worker has ended. Also after `close()`.
   */
  destroy(): Promise<void>
  /** As {@link close}: `await using pool = new Pool()`. */
  [Symbol.asyncDispose](): Promise<void>

  /**
   * Resolves when the `minThreads` workers of the script are ready; at once without a `filename`.
   * Rejects with `ERR_RSPOOL_WORKER_START` or `ERR_RSPOOL_POOL_CLOSED`.
   */
  ready(): Promise<void>
  /** Starts nothing that waits, until {@link resume}. What runs goes on, and calls are taken. */
  pause(): void
  /** Ends a {@link pause}; so does closing. */
  resume(): void
  /**
   * Changes how many workers there may be. Idle ones that are too many end now, busy ones when their tasks have.
   * @param size what is not given stays
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT`, `ERR_RSPOOL_POOL_CLOSED`
   */
  resize(size: Pick<PoolOptions, 'minThreads' | 'maxThreads'>): void
  /** Rejects all that waits with an AbortError (`ABORT_ERR`), and gives how many tasks that were. */
  cancelQueued(): number

  /** The pool at this moment; after its end, at its end. */
  stats(): PoolStats
  /** How long tasks wait and run. */
  readonly histogram: PoolHistograms
  /** The statistics as text for Prometheus (exposition format 0.0.4); also once the pool has ended. */
  metrics(): string
  /** The options, with the defaults filled in. */
  readonly options: ResolvedPoolOptions
  /** Whether `close()` or `destroy()` was called. */
  readonly closed: boolean
  /** Whether `pause()` holds. */
  readonly paused: boolean
  /** Whether more tasks are in the pool than its workers can take: the moment to wait for `drain`. */
  readonly needsDrain: boolean

  /** How many workers there are, of both lanes, those not counted that still start. */
  readonly size: number

  /** The same as {@link move}. */
  static readonly move: typeof move
  /** The same as {@link transferableSymbol}. */
  static readonly transferableSymbol: typeof transferableSymbol
  /** The same as {@link valueSymbol}. */
  static readonly valueSymbol: typeof valueSymbol
}

/** A pool of a fixed number of workers with a script: `new WorkerPool(4, './worker.js')`. */
export class WorkerPool<Input = any, Result = any> extends Pool<Input, Result> {
  /**
   * @param threads the workers, 1 to 1024: `minThreads` and `maxThreads`
   * @param filename their script
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` for an unknown option or a value that is not allowed
   */
  constructor(
    threads: number,
    filename: Filename,
    options?: Omit<PoolOptions, 'filename' | 'minThreads' | 'maxThreads'>
  )
}
