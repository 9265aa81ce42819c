/**
 * The pool's verbs over many machines. The engine is BullMQ 6 over Redis or PostgreSQL, an optional peer:
 * `npm install bullmq ioredis`, or `bullmq pg`. Without a connection a fleet is a pool in this process.
 */

import type { PoolOptions } from './index.js'

/** Where large values are kept. The default is the engine's own. */
export interface FleetStore {
  /** Keeps bytes for `ttl` milliseconds; those of the same key are replaced. */
  put(key: string, bytes: Uint8Array, ttl: number): Promise<void>
  /** Bytes, or undefined where there are none. Refuses more than `most` bytes before it reads them. */
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
  /** Without a connection: the pool that runs the tasks, so that no `work()` is needed. Together with `tasks`. */
  pool?: PoolOptions | undefined
  /** The names that this pool may be asked for. */
  tasks?: readonly string[] | undefined
  /**
   * Where values above 32 KiB are kept: a store, or the path of a module that exports `put`, `get` and `delete` (or
   * has them as its default). Workers with a connection need the path: they load it in their thread.
   * @default the engine
   */
  store?: FleetStore | string | URL | undefined
  /** Tasks are signed with it (HMAC-SHA256), and unsigned ones are refused. Callers and workers need the same. */
  secret?: string | undefined
  /** Milliseconds for which it is known how a task ended. @default 3_600_000 */
  resultTtl?: number | undefined
  /** Bytes that an encoded value may have; more is `ERR_RSPOOL_INPUT_TOO_LARGE`. @default 64 MiB */
  maxInputSize?: number | undefined
  /**
   * Tasks that may wait; more is `ERR_RSPOOL_QUEUE_FULL`. The engine is asked once per 100 calls, so it is a mark
   * and no exact bound. @default no limit
   */
  maxQueue?: number | undefined
  /** What the engine's keys begin with. @default 'rspool' */
  prefix?: string | undefined
}

/** The options of every call. */
export interface FleetTaskOptions {
  /** Milliseconds that it may run; then `ERR_RSPOOL_TASK_TIMEOUT`, and it is ended. @default the worker's limit */
  timeout?: number | undefined
  /** When it must have ended, by the caller's clock; the engine's clock carries it to the worker's. @default none */
  deadline?: Date | number | undefined
  /** -20, which runs first, to 19. Tasks that wait do not gain priority. @default 0 */
  priority?: number | undefined
  /**
   * How often it may be started again after its worker, its machine or its lock was lost. With 0 it is started at
   * most once. @default 0 for `runTask`, 2 for `send`, `map` and `schedule`
   */
  retries?: number | undefined
  /** How often it may be started when the function throws. @default 1 */
  attempts?: number | undefined
  /** Milliseconds between two attempts. @default 0 */
  backoff?: number | undefined
  /** Names the task: another call with the key of one that is known is that one. */
  key?: string | undefined
  /** Of its worker's pool: groups share it by their weights. */
  group?: string | undefined
  /** Tasks with the same value run in the same isolate of a worker. */
  affinity?: string | number | undefined
  /** Values for the stores of the script, by name. */
  context?: { readonly [name: string]: unknown } | undefined
}

/** The options of {@link Fleet.runTask}. */
export interface FleetRunOptions extends FleetTaskOptions {
  /** Gives the task up: it leaves the queue, or ends on its worker. The promise rejects at once with `ABORT_ERR`. */
  signal?: AbortSignal | undefined
  /** Milliseconds that it may wait; then `ERR_RSPOOL_QUEUE_TIMEOUT`, and it never runs. @default no limit */
  queueTimeout?: number | undefined
  /**
   * Milliseconds, 1000 or more, after which the task is ended when its caller is no more. @default never: it runs to
   * its end
   */
  orphanTimeout?: number | undefined
  /** Milliseconds after which `ERR_RSPOOL_NO_REPLY` is told. @default timeout + queueTimeout + a minute; an hour without a timeout */
  resultTimeout?: number | undefined
  /** Called with what the script gives to `task.progress()`, at most ten times a second, and the last one always. */
  onProgress?: ((value: any) => void) | undefined
}

/** The options of {@link Fleet.send}. */
export interface FleetSendOptions extends FleetTaskOptions {
  /** Milliseconds before it may begin. @default 0 */
  delay?: number | undefined
}

/** The options of {@link Fleet.map}. */
export interface FleetMapOptions extends FleetTaskOptions {
  /** Gives up what is on its way; the loop rejects with `ABORT_ERR`. */
  signal?: AbortSignal | undefined
  /** Inputs of one task of the engine. @default 'auto': as many as take about 200 ms, 1000 at most */
  chunk?: number | 'auto' | undefined
  /** Tasks of the engine on their way at once. @default 16 */
  concurrency?: number | undefined
}

/** When a schedule is due. Without a connection `every` alone. */
export type Schedule =
  | { /** A cron pattern. */ pattern: string /** Its time zone. @default the worker's */; tz?: string | undefined }
  | { /** Milliseconds. */ every: number }

/** The options of {@link Fleet.work}. */
export interface WorkOptions {
  /** The options of the pool; it is made in the worker's thread, so they must be cloneable. */
  pool: PoolOptions
  /** The names that are taken: exports of the pool's script, and native tasks. */
  tasks: readonly string[]
  /** Milliseconds that running tasks get when the worker is closed; then they are given back. @default 10_000 */
  grace?: number | undefined
  /** Milliseconds of a lock, 1000 or more: about what a lost worker costs its tasks. @default 10_000 */
  lockDuration?: number | undefined
  /** Milliseconds that any task may run. @default no limit */
  maxTimeout?: number | undefined
  /** Milliseconds for which a task that this worker does not know is left to others. @default 60_000 */
  skewGrace?: number | undefined
}

/** What a worker has done since it was made. */
export interface WorkStats {
  /** Tasks that it has now. */
  running: number
  /** Tasks that it has started. */
  started: number
  /** Of those, the ones that a lost worker had started before. */
  redelivered: number
  /** Of those, the ones that ran alone in a process of their own. */
  quarantined: number
  /** Starts that have ended. */
  finished: number
  /** Milliseconds that they took, summed over them. */
  busyMs: number
  /** Tasks that it can run at once. */
  capacity: number
  /** Tasks that were ended since their lock could not be renewed in time. */
  leasesOver: number
  /** Tasks that were ended since their lock was lost. */
  locksLost: number
  /** Errors of the engine. */
  errors: number
}

/** A worker in this process. It keeps the process until it is closed. */
export interface Work {
  /** Resolves when it takes tasks; rejects if it cannot. */
  readonly ready: Promise<void>
  /** What the worker has done so far. */
  stats(): Promise<WorkStats>
  /** Finishes what runs, for `grace` milliseconds, and gives the rest back. May be called again. */
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
  /** Milliseconds that the oldest waiting task has waited, or 0. */
  oldest: number
  /** Calls of this process that wait for their task. */
  pending: number
}

/**
 * A fleet: callers and workers of one name. Any process may be either or both.
 *
 * A task is started at least once after `send` has resolved, unless the engine loses its memory. It may be started
 * twice, but two machines are never at work on it while their clocks run at the same rate and scripts end within
 * `abortGrace`. Of several starts one result is delivered. `runTask` always settles.
 *
 * In a script, `context.fleet.getStore()` of `rspool/worker` gives `{ id, start }`: the task's id, and which start of it
 * this is, from 1.
 *
 * Values cross as `structuredClone` gives them; functions, class instances of the platform, SharedArrayBuffers and
 * ports reject with `DataCloneError` before anything is sent. If the engine is away, calls reject with
 * `ERR_RSPOOL_ENGINE`.
 */
export class Fleet {
  /** @throws `ERR_RSPOOL_INVALID_ARGUMENT` for a bad name or option, `ERR_RSPOOL_ENGINE` if a package is missing */
  constructor(name: string, options?: FleetOptions)

  /** Makes or renews BullMQ's tables in a PostgreSQL database: a step of a deploy. */
  static migrate(connection: string | object): Promise<void>

  /** The name of the fleet. Callers and workers of the same name and connection find each other. */
  readonly name: string

  /**
   * Runs a task on some machine, and gives what it returns. Rejects with what the function throws (class, name,
   * message, stack, code, own properties and cause kept), with the codes of pools, and with
   * `ERR_RSPOOL_WORKER_LOST` (its worker was lost, and `retries` were over), `ERR_RSPOOL_NO_REPLY` (nothing was
   * heard in time; it may still run), `ERR_RSPOOL_LOST` (the engine has lost it) or `ERR_RSPOOL_ENGINE`.
   */
  runTask<T = any>(task: string, input?: unknown, options?: FleetRunOptions): Promise<T>

  /** Leaves a task with the engine, and gives its id. The caller may end. */
  send(task: string, input?: unknown, options?: FleetSendOptions): Promise<string>

  /**
   * What a task gives, from any process, for as long as `resultTtl` says. Rejects with what it threw, with
   * `ERR_RSPOOL_LOST` if it is not known (any more), or `ERR_RSPOOL_NO_REPLY` after `timeout` milliseconds.
   */
  result<T = any>(id: string, options?: { timeout?: number; signal?: AbortSignal }): Promise<T>

  /** Gives a task up. Whether it waited, and so never begins; a running one is ended on its worker. */
  cancel(id: string): Promise<boolean>

  /** What the task gives for each input, in order. Inputs travel in chunks, which ends of the loop give up. */
  map<T = any>(
    inputs: Iterable<unknown> | AsyncIterable<unknown>,
    task: string,
    options?: FleetMapOptions
  ): AsyncGenerator<T, void, undefined>

  /** Runs a task again and again. A schedule of the same name is replaced. The input must be below 32 KiB. */
  schedule(name: string, when: Schedule, task: string, input?: unknown, options?: FleetTaskOptions): Promise<void>

  /** Ends a schedule. Whether there was one. */
  unschedule(name: string): Promise<boolean>

  /**
   * Runs tasks of the fleet here. With a connection, engine and pool are in a thread of their own, so nothing that
   * blocks this program's event loop costs a lock.
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT`, for a Pool in the place of its options, too
   */
  work(options: WorkOptions): Work

  /** The tasks of the fleet at this moment. Rejects with `ERR_RSPOOL_ENGINE` if the engine is away. */
  stats(): Promise<FleetStats>

  /**
   * The same, and what workers of this process have done, as text for Prometheus. `rspool_fleet_wanted_workers` is
   * how many workers like this process' would have all that waits and runs done in `targetWait` milliseconds
   * (10,000): what an autoscaler scales to.
   */
  metrics(options?: { targetWait?: number }): Promise<string>

  /** Closes the workers of this process, rejects its calls that wait (`ERR_RSPOOL_POOL_CLOSED`), and disconnects. */
  close(): Promise<void>

  [Symbol.asyncDispose](): Promise<void>
}
