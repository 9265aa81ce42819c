/** The parts of BullMQ that the adapter uses. BullMQ's own types would make it a dependency. */

export interface Job {
  id?: string | undefined
  name: string
  data: unknown
  opts: object
  attemptsMade: number
  stalledCounter?: number | undefined
  processedOn?: number | undefined
  updateProgress(value: unknown): Promise<void>
  moveToWait(token?: string): Promise<unknown>
  asJSONSandbox(): Record<string, unknown>
}

export type JobAction = (...args: unknown[]) => unknown

export interface Worker {
  opts: { lockDuration: number; lockRenewTime?: number; maxStalledCount: number; concurrency?: number }
  concurrency: number
  cancelJob(id: string, reason?: string): boolean
  cancelAllJobs(reason?: string): void
  extendJobLocks(ids: string[], tokens: string[], duration: number): Promise<string[]>
  close(force?: boolean): Promise<void>
  on(event: string, listener: (...args: any[]) => void): unknown
  off(event: string, listener: (...args: any[]) => void): unknown
  listenerCount(event: string): number
}

/** The part of a pool that the adapter uses. */
export interface Pool {
  run(input: unknown, options: object): Promise<unknown>
  runTask(task: string, input: unknown, options: object): Promise<unknown>
  settled(inputs: unknown[], task: string, options: object): Promise<PromiseSettledResult<unknown>[]>
  channel(
    task: { filename: string; name: string },
    input: unknown,
    options: object
  ): { port: import('node:worker_threads').MessagePort; result: Promise<unknown> }
  readonly options: PoolOptions
  stats(): { running: number }
}

export interface PoolOptions {
  maxThreads: number
  concurrentTasksPerWorker: number
  abortGrace: number
  filename?: string | undefined
  name?: string | undefined
  argv?: readonly string[] | undefined
  env?: unknown
  execArgv?: readonly string[] | undefined
  resourceLimits?: object | undefined
  workerData?: unknown
}

/** One call of the pool, as `map` may return it. */
export interface Call {
  task: string
  input: unknown
  options?: Record<string, unknown> | undefined
}
