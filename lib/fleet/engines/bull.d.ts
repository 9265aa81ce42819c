/**
 * The part of BullMQ 6 that the engine uses. BullMQ's own classes are generic over their backend; these types are what
 * both backends have.
 */

import type { EventEmitter } from 'node:events'

interface Base extends EventEmitter {
  waitUntilReady(): Promise<unknown>
  close(): Promise<void>
}

export interface BullJob {
  id?: string
  name: string
  data: { reply?: string } | undefined
  opts: { attempts?: number; removeOnComplete?: boolean | number | { age?: number } }
  timestamp: number
  finishedOn?: number
  attemptsMade?: number
  stalledCounter?: number
  failedReason?: string
  moveToWait(token?: string): Promise<unknown>
  moveToDelayed(timestamp: number, token?: string): Promise<unknown>
}

export interface BullQueue extends Base {
  add(name: string, data: object, options: object): Promise<BullJob>
  addBulk(jobs: { name: string; data: object; opts: object }[]): Promise<BullJob[]>
  remove(id: string): Promise<number>
  getJob(id: string): Promise<BullJob | undefined>
  getJobs(types: string[], start: number, end: number, ascending: boolean): Promise<BullJob[]>
  getJobState(id: string): Promise<string>
  getJobCounts(...types: string[]): Promise<Record<string, number>>
  upsertJobScheduler(name: string, when: object, template: object): Promise<unknown>
  removeJobScheduler(name: string): Promise<boolean>
  toKey(type: string): string
}

export interface BullWorker extends Base {
  on(event: 'completed', listener: (job: BullJob) => void): this
  on(event: 'failed', listener: (job: BullJob | undefined) => void): this
  on(event: string, listener: (...args: never[]) => void): this
}

export interface BullProducer extends Base {
  publishEvent(fields: { eventName: string; [field: string]: string }, most: number): Promise<void>
}

type Make<T> = new (name: string, options: object, backend?: object) => T

export type Processor = (job: BullJob, token: string | undefined, signal: AbortSignal | undefined) => Promise<unknown>

export interface Bull {
  Queue: Make<BullQueue>
  QueueEvents: Make<Base>
  QueueEventsProducer: Make<BullProducer>
  Worker: new (name: string, processor: Processor, options: object, backend?: object) => BullWorker
  createPostgresBackend: object
  runMigrations(client: object): Promise<void>
}

/** The part of pg that the store uses. */
export interface PgPool extends EventEmitter {
  query(text: string, values?: unknown[]): Promise<{ rows: { bytes: Buffer | null; size: number; now: string }[] }>
  end(): Promise<void>
}
