/// <reference types="node" />

import type { AsyncLocalStorage } from 'node:async_hooks'
import type { MessagePort } from 'node:worker_threads'
import {
  type ExportName,
  type Moved,
  move,
  type NativeEncoding,
  type NativeInput,
  type NativeOptions,
  type NativeResult,
  type NativeTaskName,
  type OneArgument,
  type RunOptions,
  type ScriptTask,
  type SyncOptions,
  type TaskResult
} from './index.js'

/** The task that the calling code belongs to. */
export const task: {
  /**
   * Aborts when the task is given up: by its signal, its time limit or the end of the pool. `aborted` and
   * `throwIfAborted()` are up to date inside a synchronous loop, too. Undefined outside of a task.
   */
  readonly signal: AbortSignal | undefined
  /**
   * The other end of the port of {@link Pool.channel}, until the function has ended. Undefined outside of a task, and
   * in a task that was called in another way.
   */
  readonly port: MessagePort | undefined
  /**
   * The number of this isolate, also outside of a task: the lowest from 1 that no other living isolate of the pool had when
   * this one was started. It is also in `process.env.RSPOOL_WORKER`. Undefined outside of a pool.
   */
  readonly workerNumber: number | undefined
  /** A number that no other running task of the caller has. Undefined outside of a task. */
  readonly id: number | undefined
  /**
   * Calls the caller's `onProgress` with a copy of the value. Does nothing outside of a task, or if the caller does not
   * listen.
   * @throws `DataCloneError` if the value cannot be cloned
   */
  progress(value: unknown): void
}

/** The options of {@link run}. There is no `onProgress`: a listener in a worker would not be called. */
export type NestedOptions = RunOptions & { onProgress?: undefined }

/**
 * Has the pool of the running task call its function, as {@link Pool.run} of the owner does. The calling task leaves
 * its place while such nested calls are pending, so the pool goes on, however many tasks wait and however deep the
 * calls nest. Nested calls start before tasks of the same priority that have not begun, are taken even if `maxQueue`
 * tasks wait, and are given up when the calling task ends.
 *
 * The owner's event loop passes nested calls on: they wait while it is busy, but not while it is blocked in `runSync`.
 *
 * Rejects as `Pool.run` does, and with `ERR_RSPOOL_NO_TASK` outside of a running task.
 */
export function run<T = any>(input?: any, options?: NestedOptions): Promise<T>

/** As {@link run}, for any task: see {@link Pool.runTask}. */
export function runTask<
  K extends NativeTaskName,
  const I extends NativeInput<K>,
  const E extends NativeEncoding<K> = never
>(task: K, input: I, options?: NativeOptions<K, E>): Promise<NativeResult<K, I, E>>
/** Has the pool run an inline function. */
export function runTask<A extends unknown[], R>(
  task: (...args: A) => R,
  args: readonly [...A],
  options?: SyncOptions
): Promise<TaskResult<R>>
/** Has the pool run an inline function with one argument that is no array. */
export function runTask<I, R>(
  task: (input: I) => R,
  input: OneArgument<I>,
  options?: SyncOptions
): Promise<TaskResult<R>>
/** Has the pool run an inline function without arguments. */
export function runTask<R>(task: () => R, input?: undefined, options?: SyncOptions): Promise<TaskResult<R>>
/** Has the pool call an export of another script. */
export function runTask<T = any>(task: ScriptTask, input?: any, options?: SyncOptions): Promise<T>
/** Has the pool call an export of its script. */
export function runTask<T = any, N extends string = string>(
  task: ExportName<N>,
  input?: any,
  options?: SyncOptions
): Promise<T>
/**
 * The stores whose values travel with tasks, by the names of the pool's option `context`. A store is made when it is
 * first read, and has the caller's value while a task runs. If a task calls {@link run} or {@link runTask}, the values
 * of the stores at that time travel with the call.
 */
export const context: { readonly [name: string]: AsyncLocalStorage<any> }

/** Whether this is a worker and not the main thread. */
export const isWorkerThread: boolean

/** As `threadId` of `node:worker_threads`. */
export const threadId: number

/** The pool's `workerData`, as in `node:worker_threads`. */
export const workerData: any

export { type Moved, move }
