/** One call: its target, its options and its result. */

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

/** An object that can be moved: an ArrayBuffer, a MessagePort, a FileHandle, a stream, or another object that Node.js
 * transfers. */
export type Transferable = object

/** The options of every way to call. */
export interface SharedOptions {
  /**
   * Gives the task up when it aborts. A waiting task leaves the queue. The script of a running one sees `task.signal`,
   * and has `abortGrace` to end. The promise rejects at once with an AbortError (`ABORT_ERR`) whose `cause` is the
   * signal's reason. Any number of tasks may share one signal.
   */
  signal?: Signal | undefined
  /**
   * Milliseconds that the task may run, above 0; waiting is not counted. At most a millisecond later the task rejects
   * with `ERR_RSPOOL_TASK_TIMEOUT`, and is given up as by an abort.
   * @default the pool's `timeout`
   */
  timeout?: number | undefined
  /**
   * Milliseconds that the task may wait for a worker, above 0. Then the task rejects with `ERR_RSPOOL_QUEUE_TIMEOUT`,
   * and never runs. @default the pool's `queueTimeout`
   */
  queueTimeout?: number | undefined
  /**
   * The moment at which the task must have ended, waiting and running together: a Date, or milliseconds since
   * the epoch. Then the task rejects with `ERR_RSPOOL_DEADLINE`, and is given up as by an abort. A task that must start at once
   * to meet its deadline counts as if it had waited for ten seconds. Each second that is left takes away one of these ten.
   * @default none
   */
  deadline?: Date | number | undefined
  /**
   * An integer from -20, which runs first, to 19, as for `nice`. Half a second of waiting is worth one level, so no
   * task waits for ever. Tasks of equal priority in a lane run in the order of their calls. @default 0
   */
  priority?: number | undefined
  /**
   * The group of the task. Groups share the pool by their weights; `priority` and `deadline` order only the tasks
   * within a group. Any string that is not empty; see {@link PoolOptions.groups}. @default none, which is a group of
   * weight 1
   */
  group?: string | undefined
}

/** The options of every task. A value that is not allowed rejects with `ERR_RSPOOL_INVALID_ARGUMENT`. */
export interface TaskOptions extends SharedOptions {
  /**
   * How often the task may start again after its isolate has died while running it, 0 to 255. A task that threw or was
   * given up never starts again. An error after several starts has their number as `attempts`. @default the pool's
   * `retries`
   */
  retries?: number | undefined
  /**
   * Objects to move instead of copying them. They are detached in this thread when the call is made. If an entry cannot
   * be transferred, the call rejects with `DataCloneError`. @default []
   */
  transferList?: readonly Transferable[] | undefined
}

/** The option for tasks that go to the same worker. */
export interface AffinityOptions {
  /**
   * Tasks with the same value run in the same isolate while that isolate lives, and then together in another. A string
   * that is not empty, or a finite number. Different values may share an isolate. @default none
   */
  affinity?: string | number | undefined
}

/** The options of a script task. */
export interface ScriptOptions extends TaskOptions, AffinityOptions {
  /**
   * Called with a copy of each value that the script gives to `task.progress()`, in order, and before the
   * promise settles. An error that the listener throws is uncaught, and harms no task. @default none
   */
  onProgress?: ((value: any) => void) | undefined
  /**
   * Values for the stores of the script, by name; they go before those of the pool's `context`, and undefined
   * is none. @default none
   */
  context?: { readonly [name: string]: unknown } | undefined
}

/**
 * The options of {@link Pool.runTaskSync} for a script. There is no `onProgress`: the thread is blocked, so it could
 * not be called.
 */
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
 * An object that says, by two symbols that `rspool/piscina` exports, which part of it is moved and which value arrives
 * in its place. Classes that were written for piscina have these symbols.
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
 * Marks a value so that it is moved instead of copied, as the input of a call or the result of a task's function. Its
 * memory belongs to the receiver afterwards.
 * @param value an ArrayBuffer, a view (its whole buffer is moved), a MessagePort or another transferable;
 *   an object that says itself which part is moved (a {@link Movable}), which is read now; or any value that contains
 *   the entries of `transferList`. A primitive is given back
 * @param transferList the objects to move. @default the value, or the buffer of a view
 * @throws nothing; if a value cannot be transferred, the task rejects with `DataCloneError`
 */
export function move<T>(value: Movable<T>): Moved<T>
export function move<T>(value: T, transferList?: readonly Transferable[]): Moved<T>

declare const lent: unique symbol

/** A buffer that {@link lend} has marked. */
export interface Lent<T> {
  readonly [lent]: T
}

/**
 * Lends a buffer to a native task. The task reads the buffer in place, and the buffer stays the caller's: nothing is
 * copied or moved. Until the call has settled, do not write, transfer or resize the buffer. The result would match
 * neither the old nor the new contents, and the memory of a transferred buffer may be freed while the task reads it.
 * After an abort or a timeout the task may read on for some milliseconds.
 *
 * Buffers of fewer than 16384 bytes are copied, since that is faster.
 *
 * @param buffer a Buffer, a typed array, a DataView, an ArrayBuffer or a SharedArrayBuffer
 * @throws `ERR_RSPOOL_INVALID_ARGUMENT` for anything else, and for a resizable buffer. A script task that gets a lent
 * buffer rejects with the same code.
 */
export function lend<T extends ArrayBufferView | ArrayBufferLike>(buffer: T): Lent<T>

/** The result that the caller gets if a function returns `R`: awaited, and without {@link move} around it. */
export type TaskResult<R> = Awaited<R> extends Moved<infer T> ? T : Awaited<R>

/**
 * The options of a call of the pool's own function. If `Input` is a known type, the options may name no other function.
 */
export type OwnOptions<Input> = 0 extends 1 & Input
  ? RunOptions
  : ScriptOptions & { name?: undefined; filename?: undefined }

/** `N` if it can be the name of an export: names with a dot are native tasks. */
export type ExportName<N extends string> = N extends `${string}.${string}` ? never : N

/** The native tasks of the family of `K`; all native tasks if there is no such family. */
type NamesNear<K extends string> = K extends `${infer Family}.${string}`
  ? [Extract<NativeTaskName, `${Family}.${string}`>] extends [never]
    ? NativeTaskName
    : Extract<NativeTaskName, `${Family}.${string}`>
  : NativeTaskName

/**
 * The compiler compares a call that no other signature takes with {@link CheckedTask}, {@link CheckedInput} and
 * {@link CheckedOptions}. They accept no call that the other signatures refuse. They exist for the message of the compiler,
 * which then names the mistake. `Other` is the name of an export, if the pool can have one.
 */
export type CheckedTask<K, Other = never> = K extends NativeTaskName | Other
  ? K
  : K extends string
    ? NamesNear<K>
    : K extends (...args: any[]) => unknown
      ? K
      : ScriptTask
/** The input of a {@link CheckedTask}. */
export type CheckedInput<K> = K extends NativeTaskName
  ? NativeInput<K>
  : K extends (...args: infer A) => unknown
    ? readonly [...A] | (A extends [infer I] ? OneArgument<I> : never)
    : any
/** The options of a {@link CheckedTask}. */
export type CheckedOptions<K, Script = ScriptOptions> = K extends NativeTaskName
  ? NativeOptions<K, NativeEncoding<K>>
  : Script

/** `I` if it is one argument; an array is a list of arguments. */
export type OneArgument<I> = I extends readonly unknown[] ? never : I

// ---- many inputs -------------------------------------------------------------------------------

/**
 * The source of inputs. Inputs are pulled one at a time, and the source is closed with `return()` when no more are
 * wanted.
 */
export type Inputs<I> = Iterable<I> | AsyncIterable<I>

/** Results as they come. `return()` and leaving a `for await` loop give up the calls that still run. */
export interface Results<T> extends AsyncIterableIterator<T> {
  /** Resolves with the next result, or rejects with the error of the first task that failed. */
  next(): Promise<IteratorResult<T, any>>
  /** Gives up the calls that still run. */
  return(value?: any): Promise<IteratorResult<T, any>>
  /** Gives up the calls that still run, and rejects with the error. */
  throw(error?: any): Promise<IteratorResult<T, any>>
  [Symbol.asyncIterator](): Results<T>
  [Symbol.asyncDispose](): Promise<void>
}

/** The progress of a mapping. */
export interface MapProgress {
  /** Inputs whose call returned. */
  completed: number
  /** Inputs whose call failed. */
  failed: number
  /** How many inputs there are, if the iterable has a `length` or `size`. */
  total: number | undefined
}

/** The options of {@link Pool.settled}. One that is not allowed rejects with `ERR_RSPOOL_INVALID_ARGUMENT`. */
export interface SettledOptions extends SharedOptions {
  /**
   * How many calls run or wait in the pool at once, 1 to 1000000. For {@link Pool.map} a call counts until its result
   * was taken. A chunk counts as one call. @default twice as many as the workers can run, fewer if `maxQueue` requires
   * it
   */
  concurrency?: number | undefined
  /**
   * How many inputs travel as one task, at least 1. The inputs of a chunk are copied together, and processed one after
   * another in one worker. Each has its own outcome, but if the worker dies, the whole chunk fails. `'auto'` makes
   * chunks of about a millisecond, and is 1 for native tasks and if there is a `timeout`. @default 'auto'
   */
  chunk?: number | 'auto' | undefined
  /** Called after each chunk. An error that it throws ends the mapping. */
  onProgress?: ((progress: MapProgress) => void) | undefined
  /** Milliseconds that a call may run; with a `chunk`, that a chunk may run. @default the pool's */
  timeout?: number | undefined
  /** How often a call, or its chunk, may start again after its isolate has died while running it. @default the pool's */
  retries?: number | undefined
  /**
   * Values for the stores of the script, by name; they go before those of the pool's `context`, and undefined
   * is none. @default none
   */
  context?: { readonly [name: string]: unknown } | undefined
}

/** The options of {@link Pool.map}. One that is not allowed throws `ERR_RSPOOL_INVALID_ARGUMENT`. */
export interface MapOptions extends SettledOptions {
  /** Whether results come in the order of the inputs. If not, they come as they are ready. @default true */
  ordered?: boolean | undefined
  /**
   * Whether the first failure ends the mapping. If not, the results of all other calls come first, then an
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
  /** Objects to move instead of copying them; see {@link TaskOptions.transferList}. @default [] */
  transferList?: readonly Transferable[] | undefined
  /** As for a task: see {@link ScriptOptions.onProgress}. @default none */
  onProgress?: ((value: any) => void) | undefined
  /**
   * How many items, 1 to 1000000, the generator may be ahead of its reader, and how many items of an input may wait for
   * the generator. Lower it for large items. @default 1024
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
  /** The promise that {@link Pool.run} would give. */
  result: Promise<T>
}

/** The source of the items of a stream: a generator, or anything that can be iterated. */
export type StreamSource<T> = Iterable<T> | AsyncIterable<T>

/** An item as it arrives: if it was moved, the value itself. */
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
