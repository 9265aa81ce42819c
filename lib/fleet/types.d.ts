/** What the parts of the fleet give one another. */

/** A value in an envelope: itself, or where it is. */
export type Part = { text: string; parts?: string[] } | { ref: string; size: number }

/** What the engine carries for one task. JSON, at most 64 KiB. */
export interface Envelope {
  /** The version of the envelope. */
  v: number
  task: string
  input: Part
  /** Whether the input is an array of inputs, of a `map`. */
  many?: boolean
  options?: TaskSettings
  /** Which caller waits. */
  reply?: string
  /** Milliseconds for which it runs on without that caller. */
  orphan?: number
  /** How often it may be started again after its worker was lost. */
  retries: number
  /** HMAC-SHA256 over the rest, where the fleet has a secret. */
  mac?: string
}

/** The options of a task that travel. */
export interface TaskSettings {
  timeout?: number
  deadline?: number
  group?: string
  affinity?: string | number
  context?: { [name: string]: unknown }
}

/** How the engine takes a task. */
export interface AddOptions {
  id: string
  priority: number
  delay?: number | undefined
  attempts: number
  backoff?: number | undefined
  /** Milliseconds for which it is known after its end. */
  keep: number
}

/** How a task ended. */
export interface Outcome {
  /** Whether `value` is what the function gave, or the description of what it threw. */
  fine: boolean
  value: Part
  /** One line for people. */
  text?: string
  /** Whether another attempt could not mend it. */
  hopeless?: boolean
}

/** One start of a task, on a worker. */
export interface Delivery {
  id: string
  envelope: unknown
  /** How often it was started and lost before. */
  lost: number
  /** Milliseconds since it was added. */
  age: number
  signal: AbortSignal
  progress(value: unknown): void
}

/** What comes back to a caller. */
export type CallerEvent =
  | { kind: 'ended'; id: string; outcome?: Outcome }
  | { kind: 'progress'; id: string; value: Part }

export type TaskState = 'waiting' | 'running' | 'ended' | 'unknown'

export interface Consumer {
  close(options: { grace: number }): Promise<void>
  stats(): { running: number; leasesOver: number; locksLost: number; errors: number }
}

export interface Store {
  /** Puts bytes for so many milliseconds; those of the same key are replaced. */
  put(key: string, bytes: Uint8Array, ttl: number): Promise<void>
  /** Bytes, or undefined. Longer ones than `most` are refused before they are read. */
  get(key: string, most: number): Promise<Uint8Array | undefined>
  delete(key: string): Promise<void>
}

export interface Counts {
  waiting: number
  delayed: number
  running: number
  /** Milliseconds that the task that waits longest has waited, or 0. */
  oldest: number
}

/** How a task is run: gives how it ended, or throws {@link GiveBack}. */
export type OnTask = (delivery: Delivery) => Promise<Outcome>

/** What carries tasks between machines. Every promise rejects with `ERR_RSPOOL_ENGINE` if the engine is away. */
export interface Engine {
  /** Adds tasks; one whose id is known is the one that is known. Gives their ids. */
  add(tasks: { envelope: Envelope; options: AddOptions }[]): Promise<string[]>
  /** Takes a task back that waits. Whether it did. */
  remove(id: string): Promise<boolean>
  /** Has whichever worker runs it give it up. */
  cancel(id: string): Promise<void>
  /** The state of each. */
  look(ids: string[]): Promise<TaskState[]>
  /** How a task ended, while that is kept. */
  outcome(id: string): Promise<Outcome | undefined>
  /** Runs what comes. */
  consume(options: ConsumeOptions): Promise<Consumer>
  /** Calls the listener with what is sent to this caller; gives what ends that. */
  replies(caller: string, listener: (event: CallerEvent) => void): Promise<() => Promise<void>>
  counts(): Promise<Counts>
  /** Milliseconds by which its clock is ahead of this machine's. */
  clock(): Promise<number>
  schedule(name: string, when: When, task: { envelope: Envelope; options: AddOptions }): Promise<void>
  unschedule(name: string): Promise<boolean>
  /** Where large values are kept unless the user has a store. */
  readonly store: Store
  close(): Promise<void>
}

export interface ConsumeOptions {
  onTask: OnTask
  /** How many tasks at once. */
  capacity: () => number
  /** Milliseconds of a lock. */
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
