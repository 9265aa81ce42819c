/** The options of a pool. */

import type { AsyncLocalStorage } from 'node:async_hooks'
import type { ResourceLimits, SHARE_ENV } from 'node:worker_threads'
import type { TaskMeasure } from './observation.js'
import type { PoolPlugin } from './plugins.js'
import type { Filename, TaskOptions, Transferable } from './tasks.js'

/** The options of a pool. An option that is unknown or not allowed throws `ERR_RSPOOL_INVALID_ARGUMENT`. */
export interface PoolOptions {
  /**
   * The script whose functions the pool runs; without one the pool runs native tasks, inline functions and
   * `{ filename }` tasks. A script that cannot be loaded rejects its tasks with
   * `ERR_RSPOOL_WORKER_START`. @default none
   */
  filename?: Filename | undefined
  /** The export that `run` calls. @default 'default' */
  name?: string | undefined
  /**
   * The pool's name for people: in its metrics, in {@link TaskMeasure.pool}, in the names of its threads, and with
   * `outputPrefix: true`. A string that is not empty. @default the base name of the script without its
   * extension, `'pool'` without a script, `'default'` for the default pool. If another living pool of this thread has
   * that label, `-2` and so on is added
   */
  label?: string | undefined
  /**
   * Workers that are kept per lane, 0 to 1024 and at most `maxThreads`. With a `filename`, those of the script lane are
   * started at once. @default 1
   */
  minThreads?: number | undefined
  /**
   * The most workers per lane, 1 to 1024. Over both lanes no more than this many are busy at a time.
   * @default cpuCount()
   */
  maxThreads?: number | undefined
  /** Milliseconds after which an idle worker beyond `minThreads` ends; `Infinity` is never. @default 60000 */
  idleTimeout?: number | undefined
  /**
   * Tasks that may wait beyond those that the workers, started or not, can take. A further task rejects with
   * `ERR_RSPOOL_QUEUE_FULL`. `'auto'` is `maxThreads` squared. @default Infinity
   */
  maxQueue?: number | 'auto' | undefined
  /**
   * Bytes that an encoded input may have; a larger one rejects with `ERR_RSPOOL_INPUT_TOO_LARGE`. The size of an input
   * that only a port can carry (class instances, SharedArrayBuffers, `transferList`) is not checked.
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
   * Milliseconds that a script task gets to end after it was given up. Then its isolate is terminated and replaced.
   * `Infinity` never terminates. @default 100
   */
  abortGrace?: number | undefined
  /** How often a task may start again after its isolate has died; see {@link TaskOptions.retries}. @default 0 */
  retries?: number | undefined
  /**
   * The `workerData` of `node:worker_threads` in the scripts, and the argument of `setup`. Copied for each worker when
   * it starts. @default undefined
   */
  workerData?: any
  /**
   * Called on the pool's own thread before each isolate is started, with the number that the isolate will have (see
   * {@link WorkerStats.number}). The options that it returns take precedence over the pool's, for that isolate. It must
   * be synchronous. An error that it throws is the `cause` of an `ERR_RSPOOL_WORKER_START`. @default none
   */
  onWorkerStart?: ((number: number) => WorkerStart | undefined) | undefined
  /**
   * Objects of `workerData` to move instead of copying them. Only for pools of one worker, since a second one would
   * find them moved. @default []
   */
  transferList?: readonly Transferable[] | undefined
  /**
   * The `process.env` of the workers. It is copied, and `RSPOOL_WORKER` is set to the number of each worker.
   * `SHARE_ENV` shares the environment of this thread as it is. @default process.env
   */
  env?: NodeJS.Dict<string> | typeof SHARE_ENV | undefined
  /** Added to `process.argv` of the workers. @default [] */
  argv?: readonly any[] | undefined
  /** Options of Node.js for the workers. @default process.execArgv */
  execArgv?: readonly string[] | undefined
  /** Limits of the JavaScript engine per worker. A worker that exceeds them ends, and its tasks reject. @default none */
  resourceLimits?: ResourceLimits | undefined
  /** Whether a worker closes the file descriptors that its scripts left open when it ends. @default true */
  trackUnmanagedFds?: boolean | undefined
  /**
   * Where the stdout of the workers goes: `'inherit'` to the stdout of the process, `'pipe'` to the pool's `stdout`
   * event, `'ignore'` nowhere. @default 'inherit'
   */
  stdout?: 'inherit' | 'pipe' | 'ignore' | undefined
  /** The same for stderr, with the `stderr` event. @default 'inherit' */
  stderr?: 'inherit' | 'pipe' | 'ignore' | undefined
  /**
   * The prefix of each line that workers write to an inherited output. True is `[label number] `, with the pool's label
   * and the worker's number. An unfinished line is written when the worker ends. @default none
   */
  outputPrefix?: string | boolean | undefined
  /**
   * Whether the output of a task is written before its promise settles. If so, the result waits until the event loop of the
   * pool's owner has passed the output on. A task that has written nothing does not wait, and no task waits while the owner
   * is blocked in `runSync`. @default true
   */
  outputFirst?: boolean | undefined
  /**
   * Milliseconds that a worker may take to load its script and run its `setup`, above 0; `Infinity` is no limit.
   * A worker that takes longer is terminated, and the waiting tasks reject with `ERR_RSPOOL_WORKER_START`. The same
   * limit holds for the `teardown` of a worker that is replaced. @default 60000
   */
  startTimeout?: number | undefined
  /**
   * Milliseconds, above 0, after which an isolate is replaced that was rung for a task, runs none and does not come;
   * `Infinity` is never. Something that its script left behind keeps such an isolate busy, for instance a timer or a
   * regular expression that does not end. Another isolate takes its place after a second. If a task that waited for this
   * isolate alone is given up, the isolate is ended `abortGrace` later. No isolate is ended while an inspector is open,
   * while the process is stopped, or before the isolate has had its share of the CPU. @default 30000
   */
  stallTimeout?: number | undefined
  /**
   * Plugins with native tasks whose states this pool makes from its own config. The plugins are loaded for the process,
   * and errors are thrown, as by `loadTasks`. @default the plugins of the process, with its configs
   */
  plugins?: readonly PoolPlugin[] | undefined
  /** The limits of each group, by its name. A group that is not named here has weight 1. @default {} */
  groups?: Readonly<Record<string, GroupOptions>> | undefined
  /**
   * When isolates are replaced. Not with `isolate`. @default never
   */
  recycle?: RecycleOptions | undefined
  /**
   * Whether each task gets an isolate of its own, which is made while other tasks run. Not with `recycle`, nor with
   * `concurrentTasksPerWorker` above 1. @default false
   */
  isolate?: boolean | undefined
  /**
   * Added to the niceness of the workers' threads, 0 to 19. On Linux only; elsewhere, and if the system refuses,
   * nothing happens. @default 0
   */
  niceIncrement?: number | undefined
  /**
   * Whether the thread of each worker stays on one CPU: of those that the process may use, the one with the fewest
   * pinned workers. On Linux only; elsewhere nothing happens. @default false
   */
  pin?: boolean | undefined
  /**
   * Stores whose values at the time of a call travel with the call. The script finds its own stores under the same
   * names in `context` of `rspool/worker`. If a value cannot be cloned, the call rejects with `DataCloneError`. Native
   * tasks have no context. @default none
   */
  context?: { readonly [name: string]: AsyncLocalStorage<any> } | undefined
  /**
   * Whether each task is a `performance.measure` named `rspool:task`; its detail is a {@link TaskMeasure}.
   * @default false
   */
  timing?: boolean | undefined
}

/** The options that may differ from worker to worker; {@link PoolOptions} describes each. */
export interface WorkerStart {
  /** As {@link PoolOptions.workerData}, for this worker. */
  workerData?: any
  /** As {@link PoolOptions.env}, for this worker. */
  env?: NodeJS.Dict<string> | typeof SHARE_ENV | undefined
  /** As {@link PoolOptions.argv}, for this worker. */
  argv?: readonly any[] | undefined
  /** As {@link PoolOptions.execArgv}, for this worker. */
  execArgv?: readonly string[] | undefined
  /** As {@link PoolOptions.resourceLimits}, for this worker. */
  resourceLimits?: ResourceLimits | undefined
}

/** The limits of a group of tasks. */
export interface GroupOptions {
  /**
   * Its share of the pool's time, against the weights of the other groups that have tasks: 0.001 to 1000000.
   * @default 1
   */
  weight?: number | undefined
  /** Tasks of the group that may run at once, over both lanes: 1 to 1000000 or `Infinity`. @default Infinity */
  maxRunning?: number | undefined
}

/**
 * When an isolate is replaced. Its successor is made ready first, one at a time; then the old isolate ends its tasks
 * and retires. Limits vary by a tenth from worker to worker, except `rss`.
 */
export interface RecycleOptions {
  /** After so many tasks, 1 to 4294967294. @default never */
  tasks?: number | undefined
  /** When its used heap has more bytes. Read after a task, at most every 100 ms. @default never */
  heap?: number | undefined
  /** After so many milliseconds since it was ready, 1 to 2147483647. @default never */
  age?: number | undefined
  /**
   * When the process has more bytes in memory, and a tenth more than when this isolate was ready. Read after a task, at
   * most every 100 ms. @default never
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
      | 'label'
      | 'minThreads'
      | 'maxThreads'
      | 'idleTimeout'
      | 'maxQueue'
      | 'concurrentTasksPerWorker'
      | 'abortGrace'
      | 'startTimeout'
      | 'stallTimeout'
      | 'outputFirst'
      | 'outputPrefix'
      | 'groups'
    >
  > {
  /** The script as a URL. */
  readonly filename?: string | undefined
  /** See {@link PoolOptions.name}. */
  readonly name: string
  /** See {@link PoolOptions.label}. */
  readonly label: string
  /** See {@link PoolOptions.minThreads}. */
  readonly minThreads: number
  /** See {@link PoolOptions.maxThreads}. */
  readonly maxThreads: number
  /** See {@link PoolOptions.idleTimeout}. */
  readonly idleTimeout: number
  /** See {@link PoolOptions.maxQueue}. */
  readonly maxQueue: number
  /** See {@link PoolOptions.concurrentTasksPerWorker}. */
  readonly concurrentTasksPerWorker: number
  /** See {@link PoolOptions.abortGrace}. */
  readonly abortGrace: number
  /** See {@link PoolOptions.startTimeout}. */
  readonly startTimeout: number
  /** See {@link PoolOptions.stallTimeout}. */
  readonly stallTimeout: number
  /** See {@link PoolOptions.outputFirst}. */
  readonly outputFirst: boolean
  /** False and `''` become undefined. */
  readonly outputPrefix?: string | true | undefined
  /** See {@link PoolOptions.groups}. */
  readonly groups?: Readonly<Record<string, Required<GroupOptions>>> | undefined
}
