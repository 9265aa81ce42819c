/** The types that the parts of the fleet share. */

/** A value in an envelope: the value itself, or the place where it is stored. */
export type Part = { text: string; parts?: string[] } | { ref: string; size: number }

/** The data of one task that the engine carries. JSON, at most 64 KiB. */
export interface Envelope {
  /** The version of the envelope. */
  v: number
  task: string
  input: Part
  /** Whether the input is an array of inputs, of a `map`. */
  many?: boolean
  options?: TaskSettings
  /** The caller that waits. */
  reply?: string
  /** Milliseconds for which the task runs on after its caller has gone. */
  orphan?: number
  /** How often the task may be started again after its worker was lost. */
  retries: number
  /** HMAC-SHA256 over the rest, if the fleet has a secret. */
  mac?: string
}

/** The options of a task that travel with it. */
export interface TaskSettings {
  timeout?: number
  deadline?: number
  group?: string
  affinity?: string | number
  context?: { [name: string]: unknown }
}

/** The options with which a task is added to the engine. */
export interface AddOptions {
  id: string
  priority: number
  delay?: number | undefined
  attempts: number
  backoff?: number | undefined
  /** Milliseconds for which the task is kept after its end. */
  keep: number
}

/** How a task ended. */
export interface Outcome {
  /** Whether `value` is the result of the function. If not, it describes the error that the function threw. */
  fine: boolean
  value: Part
  /** One line for people. */
  text?: string
  /** Whether another attempt would be in vain. */
  hopeless?: boolean
}

/** One start of a task, on a worker. */
export interface Delivery {
  id: string
  envelope: unknown
  /** How often the task was started and lost before. */
  lost: number
  /** Milliseconds since the task was added. */
  age: number
  signal: AbortSignal
  progress(value: unknown): void
}

/** An event that comes back to a caller. */
export type CallerEvent =
  | { kind: 'ended'; id: string; outcome?: Outcome }
  | { kind: 'progress'; id: string; value: Part }

export type TaskState = 'waiting' | 'running' | 'ended' | 'unknown'

export interface Consumer {
  close(options: { grace: number }): Promise<void>
  stats(): { running: number; leasesOver: number; locksLost: number; errors: number }
}

export interface Store {
  /** Keeps bytes for `ttl` milliseconds, in place of earlier bytes of the same key. */
  put(key: string, bytes: Uint8Array, ttl: number): Promise<void>
  /** The bytes of a key, or undefined. More than `most` bytes are refused before they are read. */
  get(key: string, most: number): Promise<Uint8Array | undefined>
  delete(key: string): Promise<void>
}

export interface Counts {
  waiting: number
  delayed: number
  running: number
  /** Milliseconds that the oldest waiting task has waited, or 0 if none waits. */
  oldest: number
}

/** Runs a task, and gives its outcome, or throws {@link GiveBack}. */
export type OnTask = (delivery: Delivery) => Promise<Outcome>

/**
 * The engine, which carries tasks between machines. Every promise rejects with `ERR_RSPOOL_ENGINE` if the engine is
 * away.
 */
export interface Engine {
  /** Adds tasks, and gives their ids. A task whose id is known already is not added again. */
  add(tasks: { envelope: Envelope; options: AddOptions }[]): Promise<string[]>
  /** Takes back a waiting task. True if it did. */
  remove(id: string): Promise<boolean>
  /** Has the worker that runs the task give it up. */
  cancel(id: string): Promise<void>
  /** The state of each task. */
  look(ids: string[]): Promise<TaskState[]>
  /** The outcome of a task, for as long as it is kept. */
  outcome(id: string): Promise<Outcome | undefined>
  /** Runs the tasks that come. */
  consume(options: ConsumeOptions): Promise<Consumer>
  /** Calls the listener with the events for this caller. Gives a function that ends this. */
  replies(caller: string, listener: (event: CallerEvent) => void): Promise<() => Promise<void>>
  counts(): Promise<Counts>
  /** Milliseconds by which the engine's clock is ahead of this machine's. */
  clock(): Promise<number>
  schedule(name: string, when: When, task: { envelope: Envelope; options: AddOptions }): Promise<void>
  unschedule(name: string): Promise<boolean>
  /** The store of large values, unless the user has one. */
  readonly store: Store
  close(): Promise<void>
}

export interface ConsumeOptions {
  onTask: OnTask
  /** How many tasks may run at once. */
  capacity: () => number
  /** Milliseconds that a lock lasts. */
  lockDuration: number
}

export interface When {
  pattern?: string
  every?: number
  tz?: string
}

export interface FleetOptions {
  connection?: unknown
  pool?: object
  tasks?: readonly string[]
  store?: Store | string | URL
  secret?: string
  resultTtl?: number
  maxInputSize?: number
  maxQueue?: number
  prefix?: string
}

export interface WorkOptions {
  pool: object
  tasks: readonly string[]
  grace?: number
  lockDuration?: number
  maxTimeout?: number
  skewGrace?: number
}
