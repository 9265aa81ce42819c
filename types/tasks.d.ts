/** One call: what is called, its options, and what comes of it. */

import type { MessagePort } from 'node:worker_threads'
import type { NativeEncoding, NativeInput, NativeOptions, NativeTaskName } from '../index.js'
import type { transferableSymbol, valueSymbol } from './symbols.js'

// biome-ignore lint/complexity/noUselessEmptyExport: without it what is not exported here would be, too
export {}

/** Where a script is: an absolute path, a path relative to `process.cwd()`, a `file:` or a `data:` URL. */
export type Filename = string | URL

/** A function of a script other than the pool's own. */
export interface ScriptTask {
  /** The script. It is loaded once per worker, when its first task comes. */
  filename: Filename
  /** The export. @default the default export */
  name?: string | undefined
}

/** Gives a task up: an AbortSignal, or an EventEmitter that emits `'abort'`. */
export type Signal =
  | AbortSignal
  | { once(event: 'abort', listener: () => void): unknown; on(event: 'abort', listener: () => void): unknown }

/** Something that can be moved: an ArrayBuffer, a MessagePort, a FileHandle, a stream, or another object that Node.js
 * transfers. */
export type Transferable = object

/** The options of every way to call. */
export interface SharedOptions {
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
   * the epoch. Then it rejects with `ERR_RSPOOL_DEADLINE` and is given up as by an abort. A task that must start at once to meet it counts as if it had waited for ten seconds. Each second that is left
   * takes one of these away. @default none
   */
  deadline?: Date | number | undefined
  /**
   * An integer from -20, which runs first, to 19, as `nice` counts. Half a second of waiting is worth one
   * level, so nothing waits for ever. Equal ones of a lane run in the order of their calls. @default 0
   */
  priority?: number | undefined
  /**
   * The group it belongs to: groups share the pool by their weights, and `priority` and `deadline` order the
   * tasks of one group only. Any string that is not empty; see {@link PoolOptions.groups}. @default none, which
   * is a group of weight 1
   */
  group?: string | undefined
}

/** The options of every task. A value that is not allowed rejects with `ERR_RSPOOL_INVALID_ARGUMENT`. */
export interface TaskOptions extends SharedOptions {
  /**
   * How often the task may start again after its isolate has died under it, 0 to 255; never after it threw
   * or was given up. An error after several starts has their number as `attempts`. @default the pool's `retries`
   */
  retries?: number | undefined
  /**
   * Objects to move instead of copying them. They are detached here when the call is made. An entry that cannot be
   * transferred rejects with `DataCloneError`. @default []
   */
  transferList?: readonly Transferable[] | undefined
}

/** Tasks that go to one worker. */
export interface AffinityOptions {
  /**
   * Tasks with the same value run in the same isolate while that lives, then together in another. A string
   * that is not empty, or a finite number; different values may share an isolate. @default none
   */
  affinity?: string | number | undefined
}

/** The options of a script task. */
export interface ScriptOptions extends TaskOptions, AffinityOptions {
  /**
   * Called with a copy of each value that the script gives to `task.progress()`, in order, and before the
   * promise settles. An error that it throws is uncaught, and harms no task. @default none
   */
  onProgress?: ((value: any) => void) | undefined
  /**
   * Values for the stores of the script, by name; they go before those of the pool's `context`, and undefined
   * is none. @default none
   */
  context?: { readonly [name: string]: unknown } | undefined
}

/** The options of {@link Pool.runTaskSync} for a script. No `onProgress`: the thread is blocked, so it could not be called. */
export type SyncOptions = ScriptOptions & { onProgress?: undefined }
/** The options of {@link Pool.broadcast}; they hold for the task in each worker. */
export type BroadcastOptions = Pick<
  ScriptOptions,
  'signal' | 'timeout' | 'queueTimeout' | 'deadline' | 'priority' | 'group' | 'onProgress'
>

/** The options of {@link Pool.run}. */
export interface RunOptions extends ScriptOptions {
  /** The export of the script to call. @default the pool's `name` */
  name?: string | undefined
  /** Another script than the pool's own. @default the pool's `filename` */
  filename?: Filename | undefined
}

/**
 * An object that says which part of it is moved, and which value arrives in its place, by two symbols that
 * `rspool/piscina` exports. Classes that were written for piscina have them.
 */
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
 *   an object that says itself what is moved (a {@link Movable}), which is read now; or anything that contains
 *   what `transferList` names. A primitive is given back
 * @param transferList what is moved. @default the value, or the buffer of a view
 * @throws nothing; what cannot be transferred rejects the task with `DataCloneError`
 */
export function move<T>(value: Movable<T>): Moved<T>
export function move<T>(value: T, transferList?: readonly Transferable[]): Moved<T>

declare const lent: unique symbol

/** A buffer that {@link lend} has marked. */
export interface Lent<T> {
  readonly [lent]: T
}

/**
 * Lends a buffer to a native task: the task reads it in place, and it stays the caller's. Nothing is copied, and nothing
 * moved. Until the call has settled the buffer must not be written, transferred or resized: the result would be that of
 * neither state, and a transferred buffer may be gone while it is read. If the call was aborted, or has timed out, the
 * task may read on for some milliseconds.
 *
 * Fewer than 16384 bytes are copied, as that is quicker.
 *
 * @param buffer a Buffer, a typed array, a DataView, an ArrayBuffer or a SharedArrayBuffer
 * @throws `ERR_RSPOOL_INVALID_ARGUMENT` for anything else, and for a buffer that can be resized. A script task that
 * is given a lent buffer rejects with the same code.
 */
export function lend<T extends ArrayBufferView | ArrayBufferLike>(buffer: T): Lent<T>

/** The result that the caller gets if a function returns `R`: awaited, and without {@link move} around it. */
export type TaskResult<R> = Awaited<R> extends Moved<infer T> ? T : Awaited<R>

/** The options of a call of a pool's own function: where `Input` says what it takes, no other may be named. */
export type OwnOptions<Input> = 0 extends 1 & Input
  ? RunOptions
  : ScriptOptions & { name?: undefined; filename?: undefined }

/** `N` where it can be the name of an export: names with a dot are native tasks. */
export type ExportName<N extends string> = N extends `${string}.${string}` ? never : N

/** The native tasks of the family of `K`; all of them where there is no such family. */
type NamesNear<K extends string> = K extends `${infer Family}.${string}`
  ? [Extract<NativeTaskName, `${Family}.${string}`>] extends [never]
    ? NativeTaskName
    : Extract<NativeTaskName, `${Family}.${string}`>
  : NativeTaskName

/**
 * A call that no other signature takes is compared with {@link CheckedTask}, {@link CheckedInput} and
 * {@link CheckedOptions}. They take no call that the others refuse: they are there for the message of the compiler, which
 * names the mistake then. `Other` is the name of an export, where there may be one.
 */
export type CheckedTask<K, Other = never> = K extends NativeTaskName | Other
  ? K
  : K extends string
    ? NamesNear<K>
    : K extends (...args: any[]) => unknown
      ? K
      : ScriptTask
/** What the task of a {@link CheckedTask} takes. */
export type CheckedInput<K> = K extends NativeTaskName
  ? NativeInput<K>
  : K extends (...args: infer A) => unknown
    ? readonly [...A] | (A extends [infer I] ? OneArgument<I> : never)
    : any
/** The options of a {@link CheckedTask}. */
export type CheckedOptions<K, Script = ScriptOptions> = K extends NativeTaskName
  ? NativeOptions<K, NativeEncoding<K>>
  : Script

/** `I` where it is one argument: an array is a list of arguments. */
export type OneArgument<I> = I extends readonly unknown[] ? never : I

// ---- many inputs -------------------------------------------------------------------------------

/** Where inputs come from: pulled one at a time, and closed with `return()` when no more are wanted. */
export type Inputs<I> = Iterable<I> | AsyncIterable<I>

/** Results as they come. `return()` and leaving a `for await` give up what still runs. */
export interface Results<T> extends AsyncIterableIterator<T> {
  /** Resolves with the next result, or rejects with the error of the first task that failed. */
  next(): Promise<IteratorResult<T, any>>
  /** Gives up what still runs. */
  return(value?: any): Promise<IteratorResult<T, any>>
  /** Gives up what still runs, and rejects with the error. */
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
export interface SettledOptions extends SharedOptions {
  /**
   * How many calls run or wait in the pool at once, 1 to 1000000. For {@link Pool.map} a call also counts until its
   * result was taken. A chunk counts as one call. @default twice what the workers can run, less if `maxQueue` says so
   */
  concurrency?: number | undefined
  /**
   * Inputs that travel as one task, at least 1. They are copied together, called one after another in one
   * worker, and each has its own outcome; a worker that dies takes a whole chunk with it. `'auto'` makes
   * chunks of about a millisecond, and is 1 for native tasks and where there is a `timeout`. @default 'auto'
   */
  chunk?: number | 'auto' | undefined
  /** Called after each chunk. An error that it throws ends the mapping. */
  onProgress?: ((progress: MapProgress) => void) | undefined
  /** Milliseconds that a call may run; with a `chunk`, that a chunk may run. @default the pool's */
  timeout?: number | undefined
  /** How often a call, or its chunk, may start again after its isolate has died under it. @default the pool's */
  retries?: number | undefined
  /**
   * Values for the stores of the script, by name; they go before those of the pool's `context`, and undefined
   * is none. @default none
   */
  context?: { readonly [name: string]: unknown } | undefined
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

/** The options of native tasks that hold for all inputs of a mapping. */
export type NativeMapOptions<K extends NativeTaskName, E extends NativeEncoding<K> = never> = Pick<
  NativeOptions<K, E>,
  'params' | 'counters' | 'parallel'
>

/** The options of {@link Pool.stream}. One that is not allowed throws `ERR_RSPOOL_INVALID_ARGUMENT`. */
export interface StreamOptions extends SharedOptions, AffinityOptions {
  /** What is moved instead of copied; see {@link TaskOptions.transferList}. @default [] */
  transferList?: readonly Transferable[] | undefined
  /** As for a task: see {@link ScriptOptions.onProgress}. @default none */
  onProgress?: ((value: any) => void) | undefined
  /**
   * How many items, 1 to 1000000, the generator may be ahead of its reader; the same for the items of an
   * input. Lower it for large items. @default 1024
   */
  highWaterMark?: number | undefined
  /**
   * Values for the stores of the script, by name; they go before those of the pool's `context`, and undefined
   * is none. @default none
   */
  context?: { readonly [name: string]: unknown } | undefined
}

/** The options of {@link Pool.channel}. One that is not allowed throws `ERR_RSPOOL_INVALID_ARGUMENT`. */
export interface ChannelOptions extends Omit<ScriptOptions, 'retries'> {}

/** A task and a port to it. */
export interface Channel<T> {
  /** Closed when the task has ended: listen to `close`. A listener for `message` keeps the process until then. */
  port: MessagePort
  /** As that of {@link Pool.run}. */
  result: Promise<T>
}

/** The source of the items of a stream: a generator, or anything that can be iterated. */
export type StreamSource<T> = Iterable<T> | AsyncIterable<T>

/** An item as it arrives: a moved value itself. */
export type Item<T> = T extends Moved<infer V> ? V : T

/** The functions of a script's module `M`, as the owner of the pool calls them; see {@link Pool.exports}. */
export type Exports<M> = {
  readonly [K in keyof M as K extends 'then' | 'toJSON' | 'setup' | 'teardown'
    ? never
    : M[K] extends (...args: any[]) => any
      ? K
      : never]: M[K] extends (...args: infer A) => infer R
    ? A extends []
      ? (input?: undefined, options?: ScriptOptions) => Promise<TaskResult<R>>
      : undefined extends A[0]
        ? (input?: A[0], options?: ScriptOptions) => Promise<TaskResult<R>>
        : (input: A[0], options?: ScriptOptions) => Promise<TaskResult<R>>
    : never
}

/** The exports of a script whose module is not known. */
export interface AnyExports {
  readonly [name: string]: (input?: any, options?: ScriptOptions) => Promise<any>
}
