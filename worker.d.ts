/// <reference types="node" />

import type { AsyncLocalStorage } from 'node:async_hooks'
import { type Moved, move, transferableSymbol, valueSymbol } from './index.js'

/** The task that the calling code runs for. */
export const task: {
  /**
   * Aborts when nobody waits for the task any more: its signal, its time limit, the end of the pool.
   * `aborted` and `throwIfAborted()` are right inside a synchronous loop too. Undefined outside of a task.
   */
  readonly signal: AbortSignal | undefined
  /** A number that no other running task of the caller has. Undefined outside of a task. */
  readonly id: number | undefined
  /**
   * Calls the caller's `onProgress` with a copy of the value. Does nothing outside of a task, or where the
   * caller does not listen.
   * @throws `DataCloneError` if the value cannot be cloned
   */
  progress(value: unknown): void
}

/**
 * The stores whose values travel with tasks, by the names of the pool's option `context`: each is made when it
 * is first asked for, and has the caller's value while a task runs.
 */
export const context: { readonly [name: string]: AsyncLocalStorage<any> }

/** Whether this is a worker and not the main thread. */
export const isWorkerThread: boolean

/** As `threadId` of `node:worker_threads`. */
export const threadId: number

/** The pool's `workerData`, as in `node:worker_threads`. */
export const workerData: any

export { type Moved, move, transferableSymbol, valueSymbol }
