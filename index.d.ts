/// <reference types="node" />

import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import type { ResourceLimits, SHARE_ENV } from 'node:worker_threads'

// biome-ignore lint/complexity/noUselessEmptyExport: without it what is not exported here would be, too
export {}

// ---- native tasks ------------------------------------------------------------------------------

/** What a task that takes bytes takes. It is copied when the call is made; a string becomes UTF-8. */
export type BytesLike = string | NodeJS.ArrayBufferView | ArrayBuffer | SharedArrayBuffer

/** The typed arrays that native tasks take and give, by the name of their class. */
export interface TypedArrays {
  Int8Array: Int8Array
  Uint8Array: Uint8Array
  Uint8ClampedArray: Uint8ClampedArray
  Int16Array: Int16Array
  Uint16Array: Uint16Array
  Int32Array: Int32Array
  Uint32Array: Uint32Array
  Float32Array: Float32Array
  Float64Array: Float64Array
  BigInt64Array: BigInt64Array
  BigUint64Array: BigUint64Array
}

/** What a digest is as, by `params.encoding`. */
export interface DigestEncodings {
  buffer: Buffer
  hex: string
  base64: string
  base64url: string
}

declare const none: unique symbol

/** The params of a task that takes none. */
export interface NoParams {
  readonly [none]?: never
}

/**
 * The native tasks: for each name its `input`, its `params` (all optional) and its `result`.
 *
 * Where a task has `encodings`, `params.encoding` takes their names and decides the type of the
 * result; without it the result is `result`. Where `result` is `TypedArrays[keyof TypedArrays]`,
 * it is of the class of the input.
 *
 * A task of your own is made known by declaration merging:
 * ```ts
 * declare module 'rspool' {
 *   interface NativeTasks {
 *     'image.resize': { input: BytesLike; params: { width?: number }; result: Buffer }
 *   }
 * }
 * ```
 */
export interface NativeTasks {
  /** SHA-256 (FIPS 180-4): 32 bytes. Counts `bytes`. */
  'hash.sha256': { input: BytesLike; params: NoParams; encodings: DigestEncodings; result: Buffer }

  /** BLAKE3 with no key: 32 bytes. Counts `bytes`. */
  'hash.blake3': { input: BytesLike; params: NoParams; encodings: DigestEncodings; result: Buffer }

  /** CRC-32 of zip and gzip (RFC 1952), as `zlib.crc32`: an integer from 0 to 2³² − 1. Counts `bytes`. */
  'hash.crc32': {
    input: BytesLike
    params: {
      /** The checksum of what came before, an integer from 0 to 2³² − 1. @default 0 */
      value?: number | undefined
    }
    result: number
  }

  /**
   * XXH3, 64 bits: a BigInt from 0 to 2⁶⁴ − 1, or by `encoding` its 8 bytes, most significant
   * first. Not for input from somebody who wants collisions. Counts `bytes`.
   */
  'hash.xxh3': {
    input: BytesLike
    params: {
      /** An integer from 0 to 2⁶⁴ − 1; as a string decimal digits, or hexadecimal after `0x`. @default 0 */
      seed?: number | bigint | string | undefined
    }
    encodings: DigestEncodings & { bigint: bigint }
    result: bigint
  }

  /**
   * gzip (RFC 1952): one member, the same bytes for the same input. Counts `bytes` of the input.
   * Rejects with `ERR_RSPOOL_OUT_OF_MEMORY`.
   */
  'compress.gzip': {
    input: BytesLike
    params: {
      /** From 0 (stored) to 9 (smallest). @default 6 */
      level?: number | undefined
    }
    result: Buffer
  }

  /**
   * The contents of gzip data (RFC 1952), of several members one after another. Counts `bytes` of
   * the output. Rejects with `ERR_RSPOOL_CORRUPT_INPUT` (no gzip, damaged, cut short),
   * `ERR_RSPOOL_OUTPUT_TOO_LARGE` (past `maxOutput`) or `ERR_RSPOOL_OUT_OF_MEMORY`.
   */
  'decompress.gzip': {
    input: BytesLike
    params: {
      /** The most bytes to give. @default 268435456 (256 MiB) */
      maxOutput?: number | undefined
    }
    result: Buffer
  }

  /**
   * The elements sorted, in a new array of the class of the input (a Uint8Array for a Buffer), in
   * the order of `TypedArray.prototype.sort`: -0 before +0, NaN last. No `Float16Array`. Counts
   * `rows`. Rejects with `ERR_RSPOOL_OUT_OF_MEMORY`.
   */
  'array.sort': {
    input: TypedArrays[keyof TypedArrays]
    params: {
      /** Exactly the reverse order. @default false */
      descending?: boolean | undefined
    }
    result: TypedArrays[keyof TypedArrays]
  }

  /**
   * The number of primes p ≤ n, or from ≤ p ≤ to; integers from 0 to 2⁵³ − 1. Counts `rows`, the
   * numbers sieved.
   */
  'math.countPrimes': {
    input: number | bigint | { from?: number | undefined; to: number }
    params: NoParams
    result: number
  }

  /**
   * The n-th Fibonacci number, exact, by the recursion that tutorials take as a CPU load: n from
   * 0 to 50, the time grows by 1.6 with each.
   */
  'math.fibonacci': {
    input: number | bigint
    params: {
      /** `'iterative'` gives the number at once, for n from 0 to 78. @default 'recursive' */
      method?: 'recursive' | 'iterative' | undefined
    }
    result: number
  }
}

/** The name of a native task. */
export type NativeTaskName = keyof NativeTasks

/** What native task `K` takes. */
export type NativeInput<K extends NativeTaskName> = NativeTasks[K] extends { input: infer I } ? I : unknown

/** The encodings that native task `K` knows; none for most. */
export type NativeEncoding<K extends NativeTaskName> = NativeTasks[K] extends { encodings: infer M } ? keyof M : never

/** The params of native task `K`, with encoding `E`. */
export type NativeParams<K extends NativeTaskName, E extends NativeEncoding<K> = never> = (NativeTasks[K] extends {
  params: infer P
}
  ? P
  : NoParams) & { encoding?: E | undefined }

/** The result of native task `K` for input `I`, with encoding `E`; `never` means that none was given. */
export type NativeResult<K extends NativeTaskName, I = NativeInput<K>, E = never> = [E] extends [never]
  ? NativeTasks[K] extends { result: infer R }
    ? TypedArrays[keyof TypedArrays] extends R
      ? I extends { readonly [Symbol.toStringTag]: infer C extends keyof TypedArrays }
        ? TypedArrays[C]
        : R
      : R
    : unknown
  : NativeTasks[K] extends { encodings: infer M }
    ? M[E & keyof M]
    : never

/** The options of a native task. */
export interface NativeOptions<K extends NativeTaskName, E extends NativeEncoding<K> = never> extends TaskOptions {
  /**
   * What the task takes beside its input: see its entry in {@link NativeTasks}. Copied as JSON. An unknown
   * param or a value that is not allowed rejects with `ERR_RSPOOL_INVALID_ARGUMENT`. @default {}
   */
  params?: NativeParams<K, E> | undefined
  /**
   * Counters that the task counts into while it runs, shared and not copied: `done` (1 at a good end), and
   * `bytes` or `rows` where its entry says so. Only the names that are there are counted.
   * @default none
   */
  counters?: AtomicCounters<any> | SharedCounters | undefined
}

/** The native tasks as functions on the default pool, by family: `tasks.hash.sha256(bytes)`. */
export type Tasks = {
  readonly [F in NativeTaskName extends infer N ? (N extends `${infer Family}.${string}` ? Family : never) : never]: {
    readonly [K in NativeTaskName as K extends `${F}.${infer Task}` ? Task : never]: <
      const I extends NativeInput<K>,
      const E extends NativeEncoding<K> = never
    >(
      input: I,
      options?: NativeOptions<K, E>
    ) => Promise<NativeResult<K, I, E>>
  }
}

// ---- tasks -------------------------------------------------------------------------------------

/** Where a script is: an absolute path, a path relative to `process.cwd()`, a `file:` or a `data:` URL. */
export type Filename = string | URL

/** A function of a script other than the pool's own. */
export interface ScriptTask {
  /** The script. It is loaded once a worker, when its first task comes. */
  filename: Filename
  /** The export. @default the default export */
  name?: string | undefined
}

/** What gives a task up: an AbortSignal, or an EventEmitter that emits `'abort'`. */
export type Signal =
  | AbortSignal
  | { once(event: 'abort', listener: () => void): unknown; on(event: 'abort', listener: () => void): unknown }

/** What can be moved: an ArrayBuffer, a MessagePort, a FileHandle, a stream and what else Node.js transfers. */
export type Transferable = object

/** The options of every task. A value that is not allowed rejects with `ERR_RSPOOL_INVALID_ARGUMENT`. */
export interface TaskOptions {
  /**
   * Gives the task up when it aborts: it leaves the queue, or its script sees `task.signal` and has
   * `abortGrace` to end. The promise rejects at once with an AbortError (`ABORT_ERR`) whose `cause` is the
   * signal's reason. Any number of tasks may share one signal.
   */
  signal?: Signal | undefined
  /**
   * Milliseconds that the task may run, waiting not counted, above 0; up to a millisecond more. Then it
   * rejects with `ERR_RSPOOL_TASK_TIMEOUT` and is given up as by an abort.
   * @default the pool's `timeout`
   */
  timeout?: number | undefined
  /**
   * Milliseconds that the task may wait for a worker, above 0; then it rejects with
   * `ERR_RSPOOL_QUEUE_TIMEOUT` and never runs. @default the pool's `queueTimeout`
   */
  queueTimeout?: number | undefined
  /**
   * The moment at which the task must have ended, waiting and running together: a Date, or milliseconds since
   * the epoch. Then it rejects with `ERR_RSPOOL_DEADLINE` and is given up as by an abort. Among tasks of
   * one priority those with a deadline run first, the earliest before the others. @default none
   */
  deadline?: Date | number | undefined
  /**
   * An integer from -20, which runs first, to 19, as `nice` counts. Half a second of waiting is worth one
   * level, so nothing waits for ever. Equal ones of a lane run in the order of their calls. @default 0
   */
  priority?: number | undefined
  /**
   * How often the task may start again after its isolate has died under it, 0 to 255; never after it threw
   * or was given up. An error after several starts has their number as `attempts`. @default the pool's `retries`
   */
  retries?: number | undefined
  /**
   * What is moved instead of copied: it is detached here when the call is made. An entry that cannot be
   * transferred rejects with `DataCloneError`. @default []
   */
  transferList?: readonly Transferable[] | undefined
}

/** The options of a script task. */
export interface ScriptOptions extends TaskOptions {
  /**
   * Called with a copy of each value that the script gives to `task.progress()`, in order, and before the
   * promise settles. What it throws is uncaught and harms no task. @default none
   */
  onProgress?: ((value: any) => void) | undefined
}

/** The options of {@link Pool.run}. */
export interface RunOptions extends ScriptOptions {
  /** The export of the script to call. @default the pool's `name` */
  name?: string | undefined
  /** Another script than the pool's own. @default the pool's `filename` */
  filename?: Filename | undefined
}

/**
 * The property by which an object of a class says to {@link move} what of it is moved: one thing or an
 * array. Classes that were written for piscina have it.
 */
export const transferableSymbol: unique symbol

/** The property by which an object of a class says to {@link move} what arrives in its place. */
export const valueSymbol: unique symbol

/** An object that says itself what of it is moved and what arrives in its place. */
export interface Movable<T = any> {
  readonly [transferableSymbol]: Transferable | readonly Transferable[]
  readonly [valueSymbol]: T
}

declare const moved: unique symbol

/** A value to be moved instead of copied; see {@link move}. */
export interface Moved<T> {
  readonly [moved]: T
}

/**
 * As the input of a call, or returned by a task's function, hands the value over instead of copying it: its
 * memory belongs to the receiver afterwards.
 * @param value an ArrayBuffer, a view (its whole buffer is moved), a MessagePort or another transferable;
 *   an object that says itself what is moved, by {@link transferableSymbol} and {@link valueSymbol}, which
 *   are read now; or anything that contains what `transferList` names. A primitive is given back
 * @param transferList what is moved. @default the value, or the buffer of a view
 * @throws nothing; what cannot be transferred rejects the task with `DataCloneError`
 */
export function move<T>(value: Movable<T>): Moved<T>
export function move<T>(value: T, transferList?: readonly Transferable[]): Moved<T>

/** What the caller gets of what a function returns: awaited, and a moved value itself. */
export type TaskResult<R> = Awaited<R> extends Moved<infer T> ? T : Awaited<R>

/** What is an input by itself: strings and functions say which task to run. */
export type NoTask =
  | number
  | bigint
  | boolean
  | null
  | undefined
  | { readonly [key: string]: unknown }
  | (object & { readonly [Symbol.hasInstance]?: never })

/** What `runTask` takes as the input of a pool's own function. */
export type OwnInput<Input> = 0 extends 1 & Input ? NoTask : Input & NoTask

/** The options of a call of a pool's own function: where `Input` says what it takes, no other may be named. */
export type OwnOptions<Input> = 0 extends 1 & Input
  ? RunOptions
  : ScriptOptions & { name?: undefined; filename?: undefined }

/** `N` where it can be the name of an export: names with a dot are native tasks. */
export type ExportName<N extends string> = N extends `${string}.${string}` ? never : N

/** `I` where it is one argument: an array is a list of arguments. */
export type OneArgument<I> = I extends readonly unknown[] ? never : I

// ---- many inputs -------------------------------------------------------------------------------

/** Where inputs come from: pulled one at a time, and closed with `return()` when no more are wanted. */
export type Inputs<I> = Iterable<I> | AsyncIterable<I>

/** Results as they come. `return()` and leaving a `for await` give up what still runs. */
export interface Results<T> extends AsyncIterableIterator<T> {
  next(): Promise<IteratorResult<T, any>>
  return(value?: any): Promise<IteratorResult<T, any>>
  throw(error?: any): Promise<IteratorResult<T, any>>
  [Symbol.asyncIterator](): Results<T>
  [Symbol.asyncDispose](): Promise<void>
}

/** How far a mapping is. */
export interface MapProgress {
  /** Inputs whose call returned. */
  completed: number
  /** Inputs whose call failed. */
  failed: number
  /** How many inputs there are, where the iterable says so by `length` or `size`. */
  total: number | undefined
}

/** The options of {@link Pool.settled}. One that is not allowed rejects with `ERR_RSPOOL_INVALID_ARGUMENT`. */
export interface SettledOptions {
  /**
   * Calls that run or wait in the pool at once, 1 to 1000000; for {@link Pool.map} also those whose results
   * were not taken. Chunks count as one. @default twice what the workers can run, less if `maxQueue` says so
   */
  concurrency?: number | undefined
  /**
   * Inputs that travel as one task, at least 1. They are copied together, called one after another in one
   * worker, and each has its own outcome; a worker that dies takes a whole chunk with it. `'auto'` makes
   * chunks of about a millisecond, and is 1 for native tasks and where there is a `timeout`. @default 'auto'
   */
  chunk?: number | 'auto' | undefined
  /** Gives everything up when it aborts, with an AbortError (`ABORT_ERR`). */
  signal?: Signal | undefined
  /** Is called after each chunk. What it throws ends the mapping. */
  onProgress?: ((progress: MapProgress) => void) | undefined
  /** Milliseconds that a call may run; with a `chunk`, that a chunk may run. @default the pool's */
  timeout?: number | undefined
  /** Milliseconds that a call may wait for a worker. @default the pool's */
  queueTimeout?: number | undefined
  /** From -20, which runs first, to 19. @default 0 */
  priority?: number | undefined
}

/** The options of {@link Pool.map}. One that is not allowed throws `ERR_RSPOOL_INVALID_ARGUMENT`. */
export interface MapOptions extends SettledOptions {
  /** Whether results come in the order of the inputs, or as they are done. @default true */
  ordered?: boolean | undefined
  /**
   * Whether the first failure ends the mapping. If not, the results of the others come first, then an
   * AggregateError with all failures. @default true
   */
  stopOnError?: boolean | undefined
}

/** What native tasks take for all inputs of a mapping. */
export type NativeMapOptions<K extends NativeTaskName, E extends NativeEncoding<K> = never> = Pick<
  NativeOptions<K, E>,
  'params' | 'counters'
>

// ---- streams -----------------------------------------------------------------------------------

/** The options of {@link Pool.stream}. One that is not allowed throws `ERR_RSPOOL_INVALID_ARGUMENT`. */
export interface StreamOptions extends TaskOptions {
  /**
   * Items, 1 to 1000000, that the generator may be ahead of whoever takes them; the same for the items of an
   * input. Lower it for large items. @default 1024
   */
  highWaterMark?: number | undefined
}

/** What gives the items of a stream: a generator, or anything that can be iterated. */
export type StreamSource<T> = Iterable<T> | AsyncIterable<T>

/** An item as it arrives: a moved value itself. */
export type Item<T> = T extends Moved<infer V> ? V : T

// ---- exports -----------------------------------------------------------------------------------

/** The functions of a script's module `M`, as the owner of the pool calls them; see {@link Pool.exports}. */
export type Exports<M> = {
  readonly [K in keyof M as K extends 'then' | 'toJSON' | 'setup' | 'teardown'
    ? never
    : M[K] extends (...args: any[]) => any
      ? K
      : never]: M[K] extends (...args: infer A) => infer R
    ? A extends []
      ? (input?: undefined, options?: TaskOptions) => Promise<TaskResult<R>>
      : undefined extends A[0]
        ? (input?: A[0], options?: TaskOptions) => Promise<TaskResult<R>>
        : (input: A[0], options?: TaskOptions) => Promise<TaskResult<R>>
    : never
}

/** The exports of a script whose module is not known. */
export interface AnyExports {
  readonly [name: string]: (input?: any, options?: TaskOptions) => Promise<any>
}

// ---- pools -------------------------------------------------------------------------------------

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
  run<T = Result>(input?: Input, options?: OwnOptions<Input>): Promise<T>
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
   */
  close(options?: { force?: boolean | undefined }): Promise<void>
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
  /** The options, with the defaults filled in. */
  readonly options: ResolvedPoolOptions
  /** Whether `close()` or `destroy()` was called. */
  readonly closed: boolean
  /** Whether `pause()` holds. */
  readonly paused: boolean
  /** Whether more tasks are in the pool than its workers can take: the moment to wait for `drain`. */
  readonly needsDrain: boolean

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

/** Runs a native task on the default pool; see {@link Pool.runTask}. The first call makes that pool. */
export function runTask<
  K extends NativeTaskName,
  const I extends NativeInput<K>,
  const E extends NativeEncoding<K> = never
>(task: K, input: I, options?: NativeOptions<K, E>): Promise<NativeResult<K, I, E>>
/** Runs an inline function on the default pool; see {@link Pool.runTask}. */
export function runTask<A extends unknown[], R>(
  task: (...args: A) => R,
  args: readonly [...A],
  options?: ScriptOptions
): Promise<TaskResult<R>>
/** Runs an inline function with one argument that is no array on the default pool. */
export function runTask<I, R>(
  task: (input: I) => R,
  input: OneArgument<I>,
  options?: ScriptOptions
): Promise<TaskResult<R>>
/** Runs an inline function without arguments on the default pool. */
export function runTask<R>(task: () => R, input?: undefined, options?: ScriptOptions): Promise<TaskResult<R>>
/** Calls an export of a script on the default pool. */
export function runTask<T = any>(task: ScriptTask, input?: any, options?: ScriptOptions): Promise<T>

/** Each native task as a function on the default pool. Frozen. */
export const tasks: Tasks

/**
 * The number of CPUs that this process may keep busy, at least 1: the processors of its affinity
 * mask, and no more than its cgroup's CPU quota (version 1 or 2). A fractional quota is rounded
 * down, so that a pool of this size is never stopped by the kernel for the rest of a period. Read
 * anew at each call.
 */
export function cpuCount(): number

// ---- counters ----------------------------------------------------------------------------------

/** What `share()` gives: plain data for a message, `workerData`, a task's input or its `counters`. */
export interface SharedCounters {
  readonly type: 'rspool.counters'
  readonly names: readonly string[]
  readonly buffer: SharedArrayBuffer
}

/**
 * Named 64-bit counters in shared memory, for the threads of a process (and, in the cluster
 * helper, for its processes). Each has a cache line of its own. An operation is one `Atomics`
 * operation on a view, with no native call, lock or message.
 *
 * Values are integers of 64 bits and wrap around beyond. Where a number is given it must be a safe
 * integer, a BigInt must fit 64 bits. Where a number comes back it is rounded if it is beyond
 * 2⁵³; `getBigInt` is always exact.
 *
 * Every method throws a TypeError with code `ERR_RSPOOL_INVALID_ARGUMENT` for an unknown counter
 * or a value that is no such integer, and then changes nothing.
 *
 * @typeParam N the names
 */
export class AtomicCounters<N extends string = string> {
  /**
   * @param names at least one string, none empty, none twice
   * @param options.buffer the memory to count in, with what is in it; 64 bytes for each name, the
   *   rest is left alone. By default new memory, all zero.
   */
  constructor(names: readonly N[], options?: { buffer?: SharedArrayBuffer | undefined })

  /**
   * Counters on the same memory as those that `share()` was called on, most often in another thread.
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` if it is not what `share()` gave
   */
  static from<N extends string = string>(shared: SharedCounters | AtomicCounters<N>): AtomicCounters<N>

  /** The names, in the order of the memory. Frozen. */
  readonly names: readonly N[]
  /** The memory: counter i is the signed 64-bit integer at byte 64 · i. */
  readonly buffer: ArrayBufferLike

  /** Adds `n` and gives the new value. @default n = 1 */
  add(name: N, n?: number | bigint): number
  /** Subtracts `n` and gives the new value. @default n = 1 */
  sub(name: N, n?: number | bigint): number
  /** The value, rounded beyond 2⁵³. */
  get(name: N): number
  /** The value, exact. */
  getBigInt(name: N): bigint
  /** Sets the value and gives it. */
  set(name: N, n: number | bigint): number
  /** Raises the value to `n` if it is less, and gives the new value. */
  max(name: N, n: number | bigint): number
  /** Lowers the value to `n` if it is more, and gives the new value. */
  min(name: N, n: number | bigint): number
  /** Sets the value to `replacement` if it is `expected`, and gives the value before. */
  compareExchange(name: N, expected: number | bigint, replacement: number | bigint): number
  /** Sets the value to 0 and gives the value before. */
  reset(name: N): number
  /** Sets every value to 0, one after another, and gives the values before. */
  reset(): { [name in N]: number }
  /** All values, read one after another. */
  snapshot(): { [name in N]: number }
  /**
   * What another thread passes to `AtomicCounters.from`: plain data that can be cloned.
   * @throws `ERR_RSPOOL_NOT_SHAREABLE` for counters of the cluster helper, which its processes
   *   have already
   */
  share(): SharedCounters
}

// ---- cluster -----------------------------------------------------------------------------------

/** The cluster helper: processes on shared ports, kept up, with shared counters and one CPU budget. */
export * as cluster from './types/cluster.js'

// ---- errors ------------------------------------------------------------------------------------

/** What `code` of an error of the pool can be; stable, and the thing to match on. */
export type ErrorCode =
  | 'ABORT_ERR'
  | 'ERR_RSPOOL_CORRUPT_INPUT'
  | 'ERR_RSPOOL_DEADLINE'
  | 'ERR_RSPOOL_INPUT_TOO_LARGE'
  | 'ERR_RSPOOL_INTERNAL'
  | 'ERR_RSPOOL_INVALID_ARGUMENT'
  | 'ERR_RSPOOL_NATIVE_NOT_FOUND'
  | 'ERR_RSPOOL_NOT_SHAREABLE'
  | 'ERR_RSPOOL_OUTPUT_TOO_LARGE'
  | 'ERR_RSPOOL_OUT_OF_MEMORY'
  | 'ERR_RSPOOL_POOL_CLOSED'
  | 'ERR_RSPOOL_QUEUE_FULL'
  | 'ERR_RSPOOL_QUEUE_TIMEOUT'
  | 'ERR_RSPOOL_TASK_PANIC'
  | 'ERR_RSPOOL_TASK_TIMEOUT'
  | 'ERR_RSPOOL_UNKNOWN_TASK'
  | 'ERR_RSPOOL_WORKER_EXIT'
  | 'ERR_RSPOOL_WORKER_START'

/** The classes of the errors. `docs/errors.md` says when each comes and what to do. */
export namespace errors {
  /** Every error of this package but `AbortError`, also across realms and copies of the package. */
  class RspoolError extends Error {
    protected constructor(code: string, message: string, options?: { cause?: unknown })
    code: string
  }
  /** The task ran longer than its `timeout`. */
  class TaskTimeoutError extends RspoolError {
    protected constructor()
    code: 'ERR_RSPOOL_TASK_TIMEOUT'
  }
  /** The task waited longer than its `queueTimeout`, and did not run. */
  class QueueTimeoutError extends RspoolError {
    protected constructor()
    code: 'ERR_RSPOOL_QUEUE_TIMEOUT'
  }
  /** The task had not ended at its `deadline`. */
  class DeadlineError extends RspoolError {
    protected constructor()
    code: 'ERR_RSPOOL_DEADLINE'
  }
  /** `maxQueue` tasks wait already; this one was not taken. */
  class QueueFullError extends RspoolError {
    protected constructor()
    code: 'ERR_RSPOOL_QUEUE_FULL'
  }
  /** The pool is closed, or was destroyed before the task ended. */
  class PoolClosedError extends RspoolError {
    protected constructor()
    code: 'ERR_RSPOOL_POOL_CLOSED'
  }
  /** The isolate ended while it ran the task. */
  class WorkerExitError extends RspoolError {
    protected constructor()
    code: 'ERR_RSPOOL_WORKER_EXIT'
    /** What `process.exit()` was given; 1 for a terminated isolate. */
    exitCode: number
    /** How often the task was started, where that was more than once; see {@link TaskOptions.retries}. */
    attempts?: number
  }
  /** No worker could be started; why is in `cause`. */
  class WorkerStartError extends RspoolError {
    protected constructor()
    code: 'ERR_RSPOOL_WORKER_START'
  }
  /** There is no task of this name; the message says where it was looked up. */
  class UnknownTaskError extends RspoolError {
    protected constructor()
    code: 'ERR_RSPOOL_UNKNOWN_TASK'
  }
  /** The input is larger than the pool takes. */
  class InputTooLargeError extends RspoolError {
    protected constructor()
    code: 'ERR_RSPOOL_INPUT_TOO_LARGE'
  }
  /** A native task panicked: a bug in it. The process and the worker go on. */
  class TaskPanicError extends RspoolError {
    protected constructor()
    code: 'ERR_RSPOOL_TASK_PANIC'
  }
  /** What the caller passed cannot be right: thrown by constructors, rejected by tasks. */
  class InvalidArgumentError extends TypeError {
    protected constructor()
    code: 'ERR_RSPOOL_INVALID_ARGUMENT'
  }
  /** The task's signal aborted; its reason is the `cause`. */
  class AbortError extends Error {
    protected constructor()
    name: 'AbortError'
    code: 'ABORT_ERR'
  }
}
