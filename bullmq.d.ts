/** A pool behind a worker of BullMQ 6, which is an optional peer: `npm install bullmq ioredis`. */

import type { Pool } from './index.js'

/** What of a BullMQ job the adapter uses: a `Job` of BullMQ is one. */
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

/** What of a BullMQ worker the guard uses: a `Worker` of BullMQ 6 is one. */
export interface WorkerLike {
  /** How many jobs the worker takes at once. */
  concurrency: number
  /** Aborts the signal of one job. */
  cancelJob(id: string, reason?: string): boolean
  /** Aborts the signals of all jobs that run. */
  cancelAllJobs(reason?: string): void
  /** Renews the locks of jobs for `duration` milliseconds, and gives the ids of those that were lost. */
  extendJobLocks(ids: string[], tokens: string[], duration: number): Promise<string[]>
  /** Stops the worker. With `force` it does not wait for the jobs that run. */
  close(force?: boolean): Promise<void>
}

/** What a job calls. */
export interface JobCall {
  /** An export of the pool's script, or the dotted name of a native task. */
  task: string
  /** Its input. */
  input: unknown
  /**
   * Options of the call: `timeout`, `queueTimeout`, `deadline`, `priority`, `group`, `affinity`, `params`,
   * `context`. They are copied by these names; whatever else is in the object is not looked at, so it may come
   * from the job.
   */
  options?: object | undefined
}

/** The options of {@link createProcessor}. */
export interface ProcessorOptions<J extends JobLike = JobLike> {
  /**
   * The job names that are taken. A job with another name fails for good. With `map` the names that it may give.
   * Required unless there is `map` or `sandbox`.
   */
  tasks?: readonly string[] | undefined
  /** What a job calls. @default its name is the task, and its data the input */
  map?: ((job: J) => JobCall | Promise<JobCall>) | undefined
  /**
   * The pool's script is a sandbox file of BullMQ: its main function takes a job (`data`, `updateProgress`, `log`,
   * `moveToDelayed`, `getChildrenValues` …), the token and a signal. @default false
   */
  sandbox?: boolean | undefined
  /**
   * Which jobs run alone in a process of their own: those that are delivered again since their worker had vanished,
   * of which one may have ended it; all; or none. @default 'redelivered'
   */
  quarantine?: 'redelivered' | 'always' | false | undefined
  /** Milliseconds that a task may run at most, whatever its call says. @default no limit */
  maxTimeout?: number | undefined
}

/**
 * A processor for a BullMQ worker that has a pool do the work. Inputs, results and errors cross to the worker thread
 * as in {@link Pool.run}; between machines they are BullMQ's JSON.
 *
 * An unknown task, a bad argument, a deadline and an input that is too large fail for good (`UnrecoverableError`);
 * everything else is tried as often as the job's `attempts` say.
 *
 * @throws `ERR_RSPOOL_INVALID_ARGUMENT` for an option that is not allowed
 */
export function createProcessor<J extends JobLike = JobLike>(
  pool: Pool,
  options: ProcessorOptions<J>
): (job: J, token?: string, signal?: AbortSignal) => Promise<any>

/** A worker that is looked after. */
export interface Guard {
  /** What has happened: jobs now running, and how many leases ended, locks were lost, errors the engine had. */
  stats(): { running: number; leasesOver: number; locksLost: number; errors: number }
  /**
   * Takes no more jobs, lets running ones finish for `grace` milliseconds (10,000), then aborts the others and gives
   * them back to the queue: no attempt is counted. May be called again.
   */
  close(options?: { grace?: number }): Promise<void>
}

/**
 * Sets what must be right around a worker whose processor is a pool: a task ends when its lock was not renewed for
 * 0.8 of `lockDuration`, counted by this process' own clock from the moment at which the last renewal was sent;
 * one whose lock is lost ends at once; `concurrency` is what the pool can run; a job may be delivered again ten
 * times before BullMQ gives it up, since a crash counts for its neighbours, too; and errors of the connection end
 * nothing.
 *
 * The locks are kept by this event loop. A program that blocks it loses them: there, have `rspool/fleet` do the
 * work, which keeps them in a thread of their own.
 */
export function guard(worker: WorkerLike, pool: Pool): Guard
