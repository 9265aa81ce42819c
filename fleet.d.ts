/**
 * The pool's methods over many machines. The engine is BullMQ 6 over Redis or PostgreSQL, an optional peer:
 * `npm install bullmq ioredis`, or `bullmq pg`. Without a connection a fleet is a pool in this process.
 */

import type { PoolOptions } from './index.js'

/** Where large values are kept. The default is the engine's own. */
export interface FleetStore {
  /** Keeps bytes for `ttl` milliseconds, in place of earlier bytes of the same key. */
  put(key: string, bytes: Uint8Array, ttl: number): Promise<void>
  /** The bytes of a key, or undefined if there are none. Refuses more than `most` bytes before it reads them. */
  get(key: string, most: number): Promise<Uint8Array | undefined>
  /** Removes the bytes of a key. Nothing happens if there are none. */
  delete(key: string): Promise<void>
}

/** The options of a {@link Fleet}. */
export interface FleetOptions {
  /**
   * A `redis:`, `rediss:` or `postgres:` URL, the options of an ioredis client (`{ host, port, … }`), or
   * `{ connectionString }` of PostgreSQL. @default none: everything is in this process
   */
  connection?: string | object | undefined
  /**
   * Without a connection: the options of the pool that runs the tasks, so that no `work()` is needed. Requires `tasks`.
   */
  pool?: PoolOptions | undefined
  /** The names of the tasks that this pool takes. */
  tasks?: readonly string[] | undefined
  /**
   * Where values above 32 KiB are kept: a store, or the path of a module that exports `put`, `get` and `delete` (or
   * whose default export has them). Workers with a connection need a path: they load the module in their thread.
   * @default the engine
   */
  store?: FleetStore | string | URL | undefined
  /**
   * Tasks are signed with this secret (HMAC-SHA256), and unsigned tasks are refused. Callers and workers need the same
   * secret.
   */
  secret?: string | undefined
  /** Milliseconds for which the outcome of a task is kept after its end. @default 3_600_000 */
  resultTtl?: number | undefined
  /** Bytes that an encoded value may have; a larger value rejects with `ERR_RSPOOL_INPUT_TOO_LARGE`. @default 64 MiB */
  maxInputSize?: number | undefined
  /**
   * Tasks that may wait; further ones reject with `ERR_RSPOOL_QUEUE_FULL`. A caller asks the engine once per 100 calls,
   * so the bound is not exact. @default no limit
   */
  maxQueue?: number | undefined
  /** The prefix of the engine's keys. @default 'rspool' */
  prefix?: string | undefined
}

/** The options of every call. */
export interface FleetTaskOptions {
  /**
   * Milliseconds that the task may run. Then it is ended, and rejects with `ERR_RSPOOL_TASK_TIMEOUT`. @default the
   * worker's limit
   */
  timeout?: number | undefined
  /**
   * When the task must have ended, by the caller's clock. It is converted to the worker's clock by way of the engine's.
   * @default none
   */
  deadline?: Date | number | undefined
  /** -20, which runs first, to 19. Tasks that wait do not gain priority. @default 0 */
  priority?: number | undefined
  /**
   * How often the task may be started again after its worker, its machine or its lock was lost. With 0 it is started at
   * most once. @default 0 for `runTask`, 2 for `send`, `map` and `schedule`
   */
  retries?: number | undefined
  /** How often the task may be started, in all, when the function throws. @default 1 */
  attempts?: number | undefined
  /** Milliseconds between two attempts. @default 0 */
  backoff?: number | undefined
  /** Names the task: if the engine knows a task with this key, the call is for that task, and adds none. */
  key?: string | undefined
  /** A group of the worker's pool: groups share the pool by their weights. */
  group?: string | undefined
  /** Tasks with the same value run in the same isolate of a worker. */
  affinity?: string | number | undefined
  /** Values for the stores of the script, by name. */
  context?: { readonly [name: string]: unknown } | undefined
}

/** The options of {@link Fleet.runTask}. */
export interface FleetRunOptions extends FleetTaskOptions {
  /**
   * Gives the task up when it aborts: the task leaves the queue, or ends on its worker. The promise rejects at once
   * with `ABORT_ERR`.
   */
  signal?: AbortSignal | undefined
  /**
   * Milliseconds that the task may wait. Then it never runs, and rejects with `ERR_RSPOOL_QUEUE_TIMEOUT`. @default no
   * limit
   */
  queueTimeout?: number | undefined
  /**
   * Milliseconds, 1000 or more, after which the task is ended if its caller has gone. @default never: it runs to its
   * end
   */
  orphanTimeout?: number | undefined
  /**
   * Milliseconds after which the call rejects with `ERR_RSPOOL_NO_REPLY`. @default timeout + queueTimeout + a minute;
   * an hour without a timeout
   */
  resultTimeout?: number | undefined
  /**
   * Called with the values that the script gives to `task.progress()`, at most ten times a second. The last value
   * always comes.
   */
  onProgress?: ((value: any) => void) | undefined
}

/** The options of {@link Fleet.send}. */
export interface FleetSendOptions extends FleetTaskOptions {
  /** Milliseconds before it may begin. @default 0 */
  delay?: number | undefined
}

/** The options of {@link Fleet.map}. */
export interface FleetMapOptions extends FleetTaskOptions {
  /** Gives up the tasks that are on their way; the loop rejects with `ABORT_ERR`. */
  signal?: AbortSignal | undefined
  /** Inputs per task of the engine. @default 'auto': as many as take about 200 ms, 1000 at most */
  chunk?: number | 'auto' | undefined
  /** Tasks of the engine that are on their way at once. @default 16 */
  concurrency?: number | undefined
}

/** When a schedule is due. Without a connection only `every` is allowed. */
export type Schedule =
  | { /** A cron pattern. */ pattern: string /** Its time zone. @default the worker's */; tz?: string | undefined }
  | { /** Milliseconds. */ every: number }

/** The options of {@link Fleet.work}. */
export interface WorkOptions {
  /** The options of the pool; it is made in the worker's thread, so they must be cloneable. */
  pool: PoolOptions
  /** The names of the tasks that the worker takes: exports of the pool's script, and native tasks. */
  tasks: readonly string[]
  /** Milliseconds that running tasks get to end when the worker is closed. Then they are given back. @default 10_000 */
  grace?: number | undefined
  /**
   * Milliseconds that a lock lasts, 1000 or more: about how long the tasks of a lost worker wait for another.
   * @default 10_000
   */
  lockDuration?: number | undefined
  /** Milliseconds that any task may run. @default no limit */
  maxTimeout?: number | undefined
  /** Milliseconds for which a task that this worker does not know is left to other workers. @default 60_000 */
  skewGrace?: number | undefined
}

/** The work of a worker since it was made. */
export interface WorkStats {
  /** Tasks that it runs now. */
  running: number
  /** Tasks that it has started. */
  started: number
  /** How many of the started tasks a lost worker had started before. */
  redelivered: number
  /** How many of the started tasks ran alone in a process of their own. */
  quarantined: number
  /** Starts of tasks that have ended. */
  finished: number
  /** Milliseconds that the finished starts took, added up. */
  busyMs: number
  /** Tasks that it can run at once. */
  capacity: number
  /** Tasks that were ended because their lock could not be renewed in time. */
  leasesOver: number
  /** Tasks that were ended because their lock was lost. */
  locksLost: number
  /** Errors of the engine. */
  errors: number
}

/** A worker in this process. It keeps the process alive until it is closed. */
export interface Work {
  /** Resolves when the worker takes tasks; rejects if it cannot. */
  readonly ready: Promise<void>
  /** The work of the worker so far. */
  stats(): Promise<WorkStats>
  /** Lets running tasks finish for `grace` milliseconds, and gives the rest back. May be called again. */
  close(options?: { grace?: number }): Promise<void>
}

/** The tasks of a fleet at one moment. */
export interface FleetStats {
  /** Tasks that wait for a worker. */
  waiting: number
  /** Tasks whose `delay` is not over, or that wait for another attempt. */
  delayed: number
  /** Tasks that run. */
  running: number
  /** Milliseconds that the oldest waiting task has waited, or 0 if none waits. */
  oldest: number
  /** Calls of this process that wait for their task. */
  pending: number
}

/**
 * A fleet: callers and workers of one name. A process may be a caller, a worker or both.
 *
 * Once `send` has resolved, the task is started at least once, unless the engine loses its memory. A task may be
 * started twice, but two machines never work on it at the same time, provided that their clocks run at the same rate
 * and scripts end within `abortGrace`. However often a task is started, one result is delivered. `runTask` always
 * settles.
 *
 * In a script, `context.fleet.getStore()` of `rspool/worker` gives `{ id, start }`: the task's id, and the number of
 * this start, from 1.
 *
 * Values cross as `structuredClone` gives them; functions, class instances of the platform, SharedArrayBuffers and
 * ports reject with `DataCloneError` before anything is sent. If the engine is away, calls reject with
 * `ERR_RSPOOL_ENGINE`.
 */
export class Fleet {
  /** @throws `ERR_RSPOOL_INVALID_ARGUMENT` for a bad name or option, `ERR_RSPOOL_ENGINE` if a package is missing */
  constructor(name: string, options?: FleetOptions)

  /** Creates or migrates BullMQ's tables in a PostgreSQL database: a step of a deploy. */
  static migrate(connection: string | object): Promise<void>

  /** The name of the fleet. Callers and workers of the same name and connection find each other. */
  readonly name: string

  /**
   * Runs a task on some machine, and gives its result. Rejects with the error that the function throws (class, name,
   * message, stack, code, own properties and cause kept), with the codes of pools, and with `ERR_RSPOOL_WORKER_LOST`
   * (the worker was lost, and no `retries` are left), `ERR_RSPOOL_NO_REPLY` (no reply came in time; the task may still
   * run), `ERR_RSPOOL_LOST` (the engine has lost the task) or `ERR_RSPOOL_ENGINE`.
   */
  runTask<T = any>(task: string, input?: unknown, options?: FleetRunOptions): Promise<T>

  /** Leaves a task with the engine, and gives its id. The caller may end. */
  send(task: string, input?: unknown, options?: FleetSendOptions): Promise<string>

  /**
   * The result of a task, in any process, for as long as `resultTtl` says. Rejects with the error that the task threw,
   * with `ERR_RSPOOL_LOST` if the task is not known (any more), or with `ERR_RSPOOL_NO_REPLY` after `timeout`
   * milliseconds.
   */
  result<T = any>(id: string, options?: { timeout?: number; signal?: AbortSignal }): Promise<T>

  /** Gives a task up. True if it waited, and so never begins. A running task is ended on its worker. */
  cancel(id: string): Promise<boolean>

  /**
   * The results of a task for each input, in order. Inputs travel in chunks. Leaving the loop gives up the chunks on
   * their way.
   */
  map<T = any>(
    inputs: Iterable<unknown> | AsyncIterable<unknown>,
    task: string,
    options?: FleetMapOptions
  ): AsyncGenerator<T, void, undefined>

  /** Runs a task again and again. Replaces a schedule of the same name. The input must be below 32 KiB. */
  schedule(name: string, when: Schedule, task: string, input?: unknown, options?: FleetTaskOptions): Promise<void>

  /** Ends a schedule. True if there was one. */
  unschedule(name: string): Promise<boolean>

  /**
   * Runs tasks of the fleet here. With a connection, engine and pool are in a thread of their own, so no lock is lost
   * when this program's event loop is blocked.
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT`, also for a Pool in place of its options
   */
  work(options: WorkOptions): Work

  /** The tasks of the fleet at this moment. Rejects with `ERR_RSPOOL_ENGINE` if the engine is away. */
  stats(): Promise<FleetStats>

  /**
   * The tasks of the fleet, and the work of this process' workers, as text for Prometheus.
   * `rspool_fleet_wanted_workers` is for an autoscaler: the number of workers, like those of this process, that would
   * finish all waiting and running tasks in `targetWait` milliseconds (10,000).
   */
  metrics(options?: { targetWait?: number }): Promise<string>

  /** Closes the workers of this process, rejects its pending calls (`ERR_RSPOOL_POOL_CLOSED`), and disconnects. */
  close(): Promise<void>

  [Symbol.asyncDispose](): Promise<void>
}
