/** The pool: its ways to call, its steering, its events. */

import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import type {
  NativeChunk,
  NativeEncoding,
  NativeInput,
  NativeOptions,
  NativeResult,
  NativeStreamName,
  NativeStreamOptions,
  NativeTaskName
} from '../index.js'
import type { PoolHistograms, PoolStats, WorkerStack } from './observation.js'
import type { PoolOptions, ResolvedPoolOptions } from './options.js'
import type {
  AnyExports,
  BroadcastOptions,
  Channel,
  ChannelOptions,
  CheckedInput,
  CheckedOptions,
  CheckedTask,
  ExportName,
  Exports,
  Filename,
  Inputs,
  Item,
  MapOptions,
  Moved,
  NativeMapOptions,
  OneArgument,
  OwnOptions,
  Results,
  RunOptions,
  ScriptOptions,
  ScriptTask,
  SettledOptions,
  StreamOptions,
  StreamSource,
  SyncOptions,
  TaskResult
} from './tasks.js'

// biome-ignore lint/complexity/noUselessEmptyExport: without it what is not exported here would be, too
export {}

/** The events of a pool, with the arguments of their listeners. */
export interface PoolEvents {
  /** The workers can take all tasks again, after there were more tasks than they could take. */
  drain: []
  /** A worker failed while it ran no task. Without a listener the process emits a warning. */
  error: [error: unknown]
  /** An isolate is ready for tasks. */
  workerCreate: [worker: { id: number; number: number; threadId: number }]
  /**
   * An isolate was rung `silentMs` milliseconds ago, runs no task and does not come: it is being ended. `stack` is its
   * JavaScript stack, the innermost frame first, or `null` if it cannot be read.
   */
  stalled: [worker: { id: number; number: number; threadId: number; silentMs: number; stack: string | null }]
  /** An isolate has ended. */
  workerExit: [worker: { id: number; number: number; threadId: number; exitCode: number }]
  /** A script posted a message of its own with `parentPort.postMessage()`. */
  message: [message: any]
  /** A worker wrote to its stdout. Only with the option `stdout: 'pipe'`. */
  stdout: [chunk: Buffer, worker: { id: number; number: number; threadId: number }]
  /** A worker wrote to its stderr. Only with the option `stderr: 'pipe'`. */
  stderr: [chunk: Buffer, worker: { id: number; number: number; threadId: number }]
  /** The pool has ended. */
  close: []
}

/**
 * A scheduler with a lane of native threads and one of isolates. It queues tasks, runs them on workers that
 * it starts on demand, and settles each promise exactly once. An idle pool keeps no process alive; a
 * pending task does.
 *
 * @typeParam Input the input of the function that `run` calls
 * @typeParam Result its result, awaited
 */
export class Pool<Input = any, Result = any> extends EventEmitter<PoolEvents> {
  /** @throws `ERR_RSPOOL_INVALID_ARGUMENT` for an unknown option or a value that is not allowed */
  constructor(options?: PoolOptions)

  /**
   * Calls the function that the pool's `filename` and `name` name.
   *
   * `input` is copied as `structuredClone` copies, when the call is made. SharedArrayBuffers in it are
   * shared, and the entries of `transferList` are moved. A Buffer arrives as a Uint8Array. The result comes back
   * in the same way.
   *
   * The promise rejects with the error that the function throws (name, message, stack, own properties and cause kept),
   * with `DataCloneError` if a value cannot be cloned, with `ABORT_ERR`, or with a code of {@link ErrorCode}.
   */
  run<T = Result>(input?: Input | Moved<Input>, options?: OwnOptions<Input>): Promise<T>
  /** Calls another export, or an export of another script. */
  run<T = any>(input: any, options: RunOptions & ({ name: string } | { filename: Filename })): Promise<T>

  /**
   * Runs a native task. Its input bytes are copied; its result bytes are a Buffer with its own memory.
   * @param task its name, which has a dot
   */
  runTask<K extends NativeTaskName, const I extends NativeInput<K>, const E extends NativeEncoding<K> = never>(
    task: K,
    input: I,
    options?: NativeOptions<K, E>
  ): Promise<NativeResult<K, I, E>>
  /**
   * Runs an inline function. Its source text is compiled once per worker, so it sees no variable around it (if it uses
   * one, the call rejects with `ERR_RSPOOL_INVALID_ARGUMENT`). `require` and `import()` in it resolve as in the file
   * that first passes the function here.
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
  /** No call has this form. The compiler compares a wrong call with it, so that its message names the mistake. */
  runTask<const K>(
    task: CheckedTask<K, K extends string ? ExportName<K> : never>,
    input: CheckedInput<K>,
    options?: CheckedOptions<K>
  ): Promise<never>

  /**
   * As {@link run}, but blocks the calling thread until the task has ended. Returns the result, or throws the error
   * with which `run` would reject. Isolates are started and replaced meanwhile; promises of other calls settle
   * afterwards. There is no `onProgress`, and a signal counts only if it has aborted before the call.
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
  /** No call has this form. The compiler compares a wrong call with it, so that its message names the mistake. */
  runTaskSync<const K>(
    task: CheckedTask<K, K extends string ? ExportName<K> : never>,
    input: CheckedInput<K>,
    options?: CheckedOptions<K, SyncOptions>
  ): never

  /**
   * Calls a task for each input, a window of them at a time, and gives the results as an async iterator.
   * Inputs are pulled only when there is room for them, and results wait until they are taken, so memory stays flat.
   *
   * The first error ends the iteration, after the results before it: an error of a call, an error of the source,
   * `ABORT_ERR` or a code of {@link ErrorCode}. Leaving the loop gives up the running calls and closes the source.
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT`, `ERR_RSPOOL_UNKNOWN_TASK` at the call, for arguments that cannot be right
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
   * As {@link map} for all inputs, but gives the outcome of each, in the order of the inputs, as `Promise.allSettled`
   * does. A call that fails does not reject the promise. An error of the source, an abort and the end of the pool do.
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
   * Runs a task once in every isolate that is ready and is to stay, as soon as the isolate has room, and gives the
   * results in the order of the isolates' ids. If the pool has no isolate, `minThreads` and at least one are started
   * first. An isolate that gets ready later is not asked, and one that ends before its turn is left out.
   *
   * Rejects, when all tasks have ended, with the first error in the same order.
   * @param task an export of the pool's script, `{ filename, name }`, an inline function, or undefined for the
   *   function that `run` calls; no native task
   * @param input copied for each isolate; with an inline function, the list of its arguments
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
   * Calls a generator function, or another function that returns an iterable, and gives its items as they come, in
   * their order. The task begins when the first item is asked for. The generator runs ahead as far as `highWaterMark`
   * allows. Leaving the loop closes the generator: its `finally` blocks run, within `abortGrace`.
   *
   * An async iterable or an iterator as input is read item by item; the function gets an async iterable.
   *
   * An error is thrown after the items before it: an error of the generator, `DataCloneError`, or a code of
   * {@link ErrorCode}. `ABORT_ERR` is thrown at once.
   * A native task is streamed by its name, if it sends its result in chunks. While it waits for its reader it keeps no
   * place in the pool.
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT`, `ERR_RSPOOL_UNKNOWN_TASK` at the call, for arguments that cannot be right
   */
  stream<K extends NativeStreamName, const I extends NativeInput<K>>(
    task: K,
    input: I,
    options?: NativeStreamOptions<K>
  ): Results<NativeChunk<K>>
  stream<A extends unknown[], T>(
    task: (...args: A) => StreamSource<T> | Promise<StreamSource<T>>,
    args: readonly [...A],
    options?: StreamOptions
  ): Results<Item<T>>
  /** Streams the items of an inline function with one argument that is no array. */
  stream<I, T>(
    task: (input: I) => StreamSource<T> | Promise<StreamSource<T>>,
    input: OneArgument<I>,
    options?: StreamOptions
  ): Results<Item<T>>
  /** Streams the items of a function of a script: of an export by name, or of the one that `run` calls. */
  stream<T = any>(task: string | ScriptTask | undefined, input?: any, options?: StreamOptions): Results<T>

  /**
   * A Duplex in object mode around a generator function. The function reads the written chunks as its input, an async
   * iterable, and the items that it yields are read from the stream. The task begins with the first chunk or the first
   * read. `null` cannot be yielded.
   * @throws as {@link stream}
   */
  pipe(task?: string | ScriptTask | ((input: any) => StreamSource<any>) | undefined, options?: StreamOptions): Duplex

  /**
   * Runs a task, and gives a port to it: the other end is `task.port` of `rspool/worker`. Both ends are closed
   * when the task has ended, in whatever way. Messages that the function sent before its end still arrive.
   * @returns the port, and the promise that {@link runTask} would give
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT`, `ERR_RSPOOL_UNKNOWN_TASK` at the call, for arguments that cannot be right
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
   * `pool.run(7, { name: 'square' })`. There is one object per pool, and one function per name. The object has no
   * `then` and no `toJSON`, so that it can be awaited and logged.
   *
   * @typeParam M the script's module
   */
  exports<M = any>(): 0 extends 1 & M ? AnyExports : Exports<M>

  /**
   * Refuses new tasks with `ERR_RSPOOL_POOL_CLOSED`, lets queued and running ones finish, runs `teardown` of
   * the scripts, and resolves when every worker has ended. May be called any number of times.
   * @param options.force as {@link destroy}
   * @param options.timeout milliseconds after which tasks and workers that have not ended are ended as by
   *   {@link destroy}
   */
  close(options?: { force?: boolean | undefined; timeout?: number | undefined }): Promise<void>
  /**
   * Rejects queued and running tasks with `ERR_RSPOOL_POOL_CLOSED`, terminates the isolates, and resolves
   * when every worker has ended. May be called after `close()`, too.
   */
  destroy(): Promise<void>
  /** As {@link close}: `await using pool = new Pool()`. */
  [Symbol.asyncDispose](): Promise<void>

  /**
   * Resolves when `minThreads` workers of the script are ready; without a `filename` at once. Rejects with
   * `ERR_RSPOOL_WORKER_START` or `ERR_RSPOOL_POOL_CLOSED`.
   */
  ready(): Promise<void>
  /** Until {@link resume}, the pool accepts calls but starts none of them. Running tasks go on. */
  pause(): void
  /** Ends a {@link pause}. Closing the pool ends it, too. */
  resume(): void
  /**
   * Changes how many workers there may be. Of the workers that are too many, idle ones end now, and busy ones when
   * their tasks have ended.
   * @param size a size that is not given stays
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT`, `ERR_RSPOOL_POOL_CLOSED`
   */
  resize(size: Pick<PoolOptions, 'minThreads' | 'maxThreads'>): void
  /**
   * Replaces all isolates, one after another: each goes on until its successor is ready, then ends its tasks, runs
   * `teardown` and ends. Use it when a script has changed, or to drop its state in memory. Resolves when the old
   * isolates have ended; at once if there are none.
   *
   * Rejects with `ERR_RSPOOL_WORKER_START` if a successor cannot be started. The old isolates go on, and the start is
   * tried again after a pause, as for any worker. Rejects with `ERR_RSPOOL_POOL_CLOSED` once the pool was closed.
   */
  recycle(): Promise<void>
  /** Rejects all waiting tasks with an AbortError (`ABORT_ERR`), and gives their number. */
  cancelQueued(): number

  /** The statistics of the pool at this moment. After the end of the pool, those at its end. */
  stats(): PoolStats
  /**
   * The tasks of each worker at this moment, and the JavaScript stack of each isolate, even of an isolate that hangs. A
   * helper thread reads the stacks, and no isolate is stopped for it. Empty once the pool has ended.
   */
  stacks(): Promise<WorkerStack[]>
  /** How long tasks wait and run. */
  readonly histogram: PoolHistograms
  /** The statistics as text for Prometheus (exposition format 0.0.4). Readable after the pool has ended, too. */
  metrics(): string
  /** The options, with the defaults filled in. */
  readonly options: ResolvedPoolOptions
  /** Whether `close()` or `destroy()` was called. */
  readonly closed: boolean
  /** Whether the pool is paused. */
  readonly paused: boolean
  /** Whether the pool has more tasks than its workers can take. If so, wait for `drain`. */
  readonly needsDrain: boolean

  /** How many workers of both lanes there are. Workers that are still starting are not counted. */
  readonly size: number
}

/** A pool without the methods whose arguments are different in a {@link WorkerPool}. */
declare const PoolOfOneScript: new <Input, Result>(
  options?: PoolOptions
) => Omit<Pool<Input, Result>, 'runTask' | 'runTaskSync'>

/**
 * A pool of a fixed number of workers with a script: `new WorkerPool(4, './worker.js')`. It is an instance of
 * {@link Pool}, but its `runTask` takes no task: it takes data for that script, as the pools of tutorials do.
 */
export class WorkerPool<Input = any, Result = any> extends PoolOfOneScript<Input, Result> {
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

  /**
   * The same as {@link Pool.run}: `data` is for the pool's script, whatever it is. A string names no task, and a
   * function rejects with `DataCloneError`.
   */
  runTask<T = Result>(data?: Input | Moved<Input>, options?: OwnOptions<Input>): Promise<T>
  /** Calls another export, or an export of another script. */
  runTask<T = any>(data: any, options: RunOptions & ({ name: string } | { filename: Filename })): Promise<T>

  /** The same as {@link Pool.runSync}: `data` is for the pool's script, whatever it is. */
  runTaskSync<T = Result>(data?: Input, options?: OwnOptions<Input> & { onProgress?: undefined }): T
  /** Calls another export, or an export of another script, and blocks until it has ended. */
  runTaskSync<T = any>(
    data: any,
    options: RunOptions & { onProgress?: undefined } & ({ name: string } | { filename: Filename })
  ): T
}
