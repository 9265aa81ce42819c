/** A pool behind a worker of BullMQ 6, which is an optional peer: `npm install bullmq ioredis`. */

import type { Pool } from './index.js'

/** The part of a BullMQ job that the adapter uses. A `Job` of BullMQ has it. */
export interface JobLike {
  /** The id of the job. */
  id?: string | undefined
  /** The name of the job. */
  name: string
  /** The data of the job. */
  data: any
  /** The options of the job. */
  opts: object
  /** How many attempts of the job have failed. */
  attemptsMade: number
}

/** The part of a BullMQ worker that the guard uses. A `Worker` of BullMQ 6 has it. */
export interface WorkerLike {
  /** How many jobs the worker takes at once. */
  concurrency: number
  /** Aborts the signal of one job. */
  cancelJob(id: string, reason?: string): boolean
  /** Aborts the signals of all jobs that run. */
  cancelAllJobs(reason?: string): void
  /** Renews the locks of jobs for `duration` milliseconds, and gives the ids of the jobs whose locks were lost. */
  extendJobLocks(ids: string[], tokens: string[], duration: number): Promise<string[]>
  /** Stops the worker. With `force` it does not wait for the jobs that run. */
  close(force?: boolean): Promise<void>
}

/** The call that a job makes. */
export interface JobCall {
  /** An export of the pool's script, or the dotted name of a native task. */
  task: string
  /** Its input. */
  input: unknown
  /**
   * Options of the call: `timeout`, `queueTimeout`, `deadline`, `priority`, `group`, `affinity`, `params`,
   * `context`. Only these names are copied, and the rest of the object is ignored, so the object may come from the job.
   */
  options?: object | undefined
}

/** The options of {@link createProcessor}. */
export interface ProcessorOptions<J extends JobLike = JobLike> {
  /**
   * The job names that are taken. A job with another name fails for good. With `map`, the names that `map` may give.
   * Required unless there is `map` or `sandbox`.
   */
  tasks?: readonly string[] | undefined
  /** Gives the call that a job makes. @default its name is the task, and its data the input */
  map?: ((job: J) => JobCall | Promise<JobCall>) | undefined
  /**
   * The pool's script is a sandbox file of BullMQ: its main function takes a job (`data`, `updateProgress`, `log`,
   * `moveToDelayed`, `getChildrenValues` …), the token and a signal. @default false
   */
  sandbox?: boolean | undefined
  /**
   * Which jobs run alone in a process of their own: those that are delivered again because their worker vanished, since
   * one of them may have ended it; all jobs; or none. @default 'redelivered'
   */
  quarantine?: 'redelivered' | 'always' | false | undefined
  /** Milliseconds that a task may run at most, whatever the options of its call say. @default no limit */
  maxTimeout?: number | undefined
}

/**
 * Makes a processor for a BullMQ worker, which runs the jobs in a pool. Inputs, results and errors cross to the worker
 * thread as in {@link Pool.run}; between machines they are BullMQ's JSON.
 *
 * An unknown task, a bad argument, a deadline and an input that is too large fail for good (`UnrecoverableError`);
 * after any other failure a job is tried again, as often as its `attempts` say.
 *
 * @throws `ERR_RSPOOL_INVALID_ARGUMENT` for an option that is not allowed
 */
export function createProcessor<J extends JobLike = JobLike>(
  pool: Pool,
  options: ProcessorOptions<J>
): (job: J, token?: string, signal?: AbortSignal) => Promise<any>

/** A worker that a guard looks after. */
export interface Guard {
  /** The jobs that run now, and how many leases have ended, locks were lost, and errors the engine had. */
  stats(): { running: number; leasesOver: number; locksLost: number; errors: number }
  /**
   * Takes no more jobs, and lets running jobs finish for `grace` milliseconds (10,000). Then aborts those that still
   * run, and gives them back to the queue without counting an attempt. May be called again.
   */
  close(options?: { grace?: number }): Promise<void>
}

/**
 * Adapts a worker whose processor is a pool. A task ends when its lock was not renewed for 0.8 of `lockDuration`,
 * counted by this process' own clock from the time at which the last renewal was sent. A task whose lock is lost ends
 * at once. `concurrency` is the number of tasks that the pool can run. A job may be delivered again ten times before
 * BullMQ gives it up, since a crash counts for the other jobs of the process, too. Errors of the connection end
 * nothing.
 *
 * This event loop renews the locks. A program that blocks it loses them: use `rspool/fleet` there, which renews its
 * locks in a thread of their own.
 */
export function guard(worker: WorkerLike, pool: Pool): Guard
