// What the addon gives: src/node declares the same, and a test compares the names.

import type { PoolStats, WorkerStats } from '../../types/observation.js'

/** The owner's or the scheduler's name of a task, as 32-bit patterns. */
type Key = number
type Generation = number

/** A pool, as its owner steers it. Methods of one that was released throw. */
export interface NativePool {
  /** Which pool of this environment: goes among the numbers of `submit`. */
  readonly index: number
  /** Which pool of this process: what an isolate is told to join. */
  readonly uid: number

  /** It has ended: nothing of it is used any more. */
  release(): void
  close(): void
  destroy(): void
  /** When isolates are replaced: after so many tasks, after so many milliseconds, or each after one. */
  recycle(tasks: number, age: number, oneTask: boolean): void
  /** Every isolate that there is is to be replaced, one after another. */
  wearAllOut(): void
  configureGroup(name: string, weight: number, maxRunning: number): void
  /** What this pool gives a plugin, as JSON text, before the first of its tasks. */
  configurePlugin(id: number, config: string | undefined): void
  /** What the number `TARGET.OWN` means (JSON text), and what that is called. */
  setOwnTarget(text: string, name: string): void
  /** @returns the number by which tasks name a function that isolates are to find (JSON text) */
  addTarget(text: string, name: string): number
  /** No new task will name it. */
  forgetTarget(number: number): void
  /** Makes room for the workers that the minimum, or `least`, lacks: the caller starts them. */
  reserveMinimum(lane: number, least: number): number[]
  pause(paused: boolean): void
  resize(min: number, max: number): void
  /** @returns how many tasks that were */
  cancelWaiting(): number
  /** The isolate of a worker is being started: the time that it may take begins. */
  beginStart(worker: number): void
  /** A notice comes after so many milliseconds; sooner, if it is to come sooner already. */
  remind(reminder: number, ms: number): void
  /**
   * A worker that was rung and does not come is to take no more tasks, since its isolate is ended.
   * @returns for how many milliseconds it has not come; -1 if it has meanwhile
   */
  endStalled(worker: number): number
  /** A worker that does not come is not ended yet. */
  excuse(worker: number): void
  /** The isolate of a worker has ended. */
  leave(worker: number): void

  /** Makes sure of room for one task before its input is taken from the caller. @returns one of `SUBMITTED` */
  reserve(lane: number): number
  /** The task does not come. */
  unreserve(): void
  /** Takes a direct submission back whose input could not be sent. @returns false when it has ended meanwhile */
  undo(worker: number, slot: number, generation: Generation): boolean
  /** A task whose input is being sent leaves its place to others, or has it again. */
  setWaits(worker: number, slot: number, waits: boolean): void
  /** @returns whether the outcome is now the caller's to tell */
  cancel(key: Key, generation: Generation): boolean

  load(): [queued: number, running: number]
  /** The workers that are ready and are to stay. */
  readyIds(lane: number): number[]
  readyCount(lane: number): number
  /** JSON of a `Snapshot`. */
  stats(): string
  /** JSON of `[min, mean, stddev, [[ms, count], …]]`. */
  times(what: number): string
  /** JSON of `Measures`. */
  measures(): string
  resetTimes(what: number): void
  /** A call has failed before it was submitted. Nothing once the pool has ended. */
  countUnsubmitted(why: number): void
}

/** How many times there were in each bucket, the last one above all bounds, and their sum in seconds. */
export type Times = [counts: number[], sum: number]

/** The times of tasks by what those are called: from the call to the start, and from there to the end. */
export type Measures = [bounds: number[], [name: string, wait: Times, run: Times][]]

/** The milliseconds that it runs, and how far a native task is. */
export type RunningTask = [
  ticket: number,
  target: number,
  name: string | null,
  running: number,
  progress: { bytes: number; rows: number } | null
]

/** What the scheduler knows of a worker; of an isolate JavaScript knows more. */
export type WorkerSnapshot = Omit<WorkerStats, 'tasks' | 'number' | 'threadId' | 'heap' | 'eventLoopUtilization'> & {
  tasks: RunningTask[]
}

/** What the scheduler knows of a pool. */
export type Snapshot = Omit<PoolStats, 'workers' | 'busy' | 'idle'> & { workers: WorkerSnapshot[] }

/** The functions that are bound to one environment. What they take besides is in the memories that they share. */
export interface Environment {
  createPool(
    minThreads: number,
    maxThreads: number,
    maxQueue: number,
    concurrency: number,
    abortGrace: number,
    idleTimeout: number,
    niceIncrement: number,
    pin: boolean,
    startTimeout: number,
    stallTimeout: number,
    label: string
  ): NativePool | undefined

  /** Queues a task. */
  submit(encoded?: ArrayBufferView | (ArrayBufferView | number)[] | string): void
  /** As `submit`, for a task with params, counters or a group, or one that a running task waits for. */
  submitWith(
    encoded: ArrayBufferView | (ArrayBufferView | number)[] | string | undefined,
    params: string | undefined,
    counters: BigInt64Array | undefined,
    counterNames: string | undefined,
    group: string | undefined,
    outer: Key | undefined,
    outerGeneration: Generation | undefined,
    progress: boolean
  ): void
  /** As `submit`, for an input that a port carries: only if a worker can have it at once. */
  submitDirect(): void
  /** Hands over an outcome, if a slot is named, and takes a task. */
  exchange(encoded?: ArrayBufferView | string): void
  /** Hands over an outcome. */
  finish(encoded?: ArrayBufferView | string): void

  /** Why the doorbell was rung, as bits. */
  answer(): number
  /** Fills the memory of notices, once all in it have been read. @returns how many, and a bit above if there are more */
  drain(): number
  /** Whether the event loop is blocked. */
  block(blocked: boolean): void
  /** Blocks until there is something to drain, or for so many milliseconds. */
  wait(ms: number): void
  /** Whether the doorbell keeps the event loop alive. */
  keepAlive(alive: boolean): void
  /** Has `onTurn` called after a turn of the event loop, or the doorbell rung. */
  turn(byRing: boolean): void
  /** The bytes, or the text, of a notice that did not fit. */
  blob(index: number): ArrayBuffer | string
  /** The input of the task that `exchange` gave, if it did not fit. */
  longInput(): ArrayBuffer | string

  adopt(niceIncrement: number, pin: boolean): void
  /** @returns whether there is such a pool */
  enlist(uid: number, worker: number): boolean
  /** @returns whether the pool still knows this worker */
  join(flags: Int32Array): boolean
  setWaits(slot: number, waits: boolean, flags: Int32Array | undefined): void
  look(): void
  wearOut(): void
  /** A task that was sent through the port has arrived. */
  hasSeen(): void
  /** The worker was told to end, and has nothing left to do. */
  tornDown(): void
  /** Which function a task of this worker names. */
  target(number: number): string

  // Not on Windows.
  /** Has the bell rung when the socket has bytes, has ended, or has waited for long enough. Linux only. */
  awaitBytes?(fd: number, name: number): boolean
  /** Those that wait no more. Linux only. */
  takeAwaited?(): number[]
  endAwaiting?(): void
  /** Hears the messages of the region behind a descriptor from now on; none if that is -1. */
  hear(fd: number): void
  want(topic: string, wanted: boolean): void
  /** A message, how many were missed, or nothing. The slot is -1 where there is none. */
  nextMessage():
    | [topic: string, tag: number, memory: ArrayBuffer, pid: number, slot: number, generation: number]
    | number
    | undefined
  // Not on Windows: the locks of a cluster, for one process.
  /** Opens those of the region behind a descriptor, for the process in the seat. */
  openLocks(fd: number, seat: number): void
  /** Gets in line for a name. @returns the ticket; 0 when there is no room for a further name */
  enterLock(name: string): number
  holdsLock(ticket: number): boolean
  /** @returns the tickets of those that have come to hold something, after a ring */
  lookAtLocks(): number[]
  /** Leaves the line, or lets go. @returns the ticket of the next one in this process that holds it now, or 0 */
  leaveLock(ticket: number): number
  /** Lets go whatever is held. */
  closeLocks(): void

  // Not on Windows: keys that the processes of a cluster share.
  /** Of the region behind a descriptor, for the process in the seat; -1 for the primary. */
  openKeys(fd: number, seat: number): void
  /** @returns 1 for whoever is the first within the time, 0 for the others, or one of `REFUSED` */
  once(key: string, ttl: number): number
  /** @returns how many points are left, one of `REFUSED`, or below these the nanoseconds until they could be given */
  takePoints(limit: number, key: string, n: number, points: number, per: number, burst: number): number
  closeKeys(): void

  /** What shared maps write to. Once, before the first of them. */
  mapMemory(bytes: Uint8Array): void
  createMap(bytes: number, seats: number, ttl: number, evict: boolean, maxValue: number): NativeMap
  openMap(fd: number, seat: number): NativeMap
  /** The map that another thread of this process has shared. */
  joinMap(number: number): NativeMap | undefined

  /** Loads a plugin, unless that has been done. @returns JSON text: a `LoadedPlugin`, or `{ code, message }` */
  loadPlugin(path: string): string
  /** What all pools that have none of their own give a plugin, as JSON text: the first one counts. */
  configurePlugin(id: number, config: string | undefined): void
  /** A native task's target is its place in this list. It only grows. */
  taskNames(): string[]
  /** The nearest native task's name, or ''. */
  suggestTask(name: string): string
  cpuCount(): number
}

/**
 * A shared map as this environment has it. Values are simple ones, or described in memory. `MAPPED` says what was done;
 * times are in milliseconds, infinite for none and negative for what the map has by default.
 */
export interface NativeMap {
  /** A simple value, or where another one lies; also a stale one, where anything is passed for that. */
  get(key: string, stale?: boolean): string | number | boolean | bigint | null | undefined | Uint8Array | ArrayBuffer
  has(key: string): boolean
  put(key: string, value: unknown, mode: number, ttl: number, stale?: number, version?: number): number
  /** What the next `put` is to find. */
  expect(value: unknown): void
  /** Undefined when `FAILURE` says why. */
  increment(key: string, n: number | bigint, initial: number | bigint, ttl: number): number | bigint | undefined
  remove(key: string): boolean
  ttl(key: string): number | undefined
  expire(key: string, ttl: number): number
  version(key: string): number
  clear(): void
  /** Those of some sets; `NEXT` says where to go on. */
  keys(from: number, prefix: string): string[]
  /**
   * Bytes, bytes in use, entries, evicted, expired, locks taken over, blocks recovered; then blocks that are nobody's, and
   * blocks that processes have in hand.
   */
  statistics(): number[]
  /** @returns the number of the lease; 0 when another has it, and less when there is no room */
  lease(key: string): number
  renewLease(lease: number): void
  endLease(lease: number): void
  /** Whether somebody who lives has the lease of a key. */
  isLeased(key: string): boolean
  /** Somebody waits for a change of the key. */
  announce(key: string): void
  /** One more waits here, or one less. */
  wait(more: boolean): void
  /** A process has ended. */
  retire(seat: number): void
  /** The same, and it is put in order. @returns how many blocks were put in order for it */
  recover(seat: number): number
  /** The number by which other threads know it; `keep`: as long as the process lives. */
  share(keep: boolean): number
  fd(): number
  /** The words by which one sees whether an entry is the same, or all. */
  words(whole: boolean): ArrayBuffer | undefined
  /** Whether the coarse clock of the map goes from here on. */
  keepTime(): boolean
}

export interface RegionSpec {
  seats: number
  slots: number
  rows: number
  cells: number
  tokens: number
  ring?: number
  claims: number
  once: number
  limits: number
  about: string
  schema: bigint
}

/** The process that publishes a message. */
export interface MessageSender {
  pid: number
  slot?: number | undefined
  generation: number
}

/** In bytes from the start. */
export interface RegionSection {
  offset: number
  count: number
  stride: number
}

export interface RegionLayout {
  shared: RegionSection
  seats: RegionSection
  tokens: RegionSection
  cells: RegionSection
  texts: RegionSection
  slots: RegionSection
  requests: RegionSection
  about: RegionSection
  /** One part, or none. */
  ring: RegionSection
  total: number
}

/** What a helper thread is asked, and what it says. */
export interface HelperQuestion {
  number: number
  kind: number
  argument: number
}

export interface HelperAnswer {
  ok: boolean
  text: string
}

export interface NativeRegion {
  readonly fd: number
  readonly layout: RegionLayout
  buffer(): ArrayBuffer
  /** Bytes that a topic and a message may have together; 0 when there is no ring. */
  readonly longestMessage: number
  useBudget(seat: number): void
  reclaim(seat: number): number
  /** What is published by the primary has no seat. @returns one of `PUBLISHED` */
  publish(seat: number | undefined, topic: string, tag: number, bytes: Uint8Array, sender: MessageSender): number
  ask(seat: number, kind: number, argument: number): number | null
  question(seat: number): HelperQuestion | null
  answer(seat: number, number: number, answer: HelperAnswer): void
  /** None while there is no answer. */
  takeAnswer(seat: number, number: number): HelperAnswer | null
  /** True when there was one that nobody took. */
  dropAnswer(seat: number): boolean
}

/** A region of other processes, to be read only. */
export interface RegionLook {
  readonly layout: RegionLayout
  readonly schema: bigint
  copy(words: BigInt64Array): void
}

export interface ProcessReading {
  state: string
  cpuMs: number
  cpu?: number
  rss: number
  threads: number
  pss?: number
  fds?: number
  fdLimit?: number
}

export interface WatchLimits {
  stall: number
  memory: number
  stack: boolean
}

export interface WatchReport {
  kind: 'stalled' | 'memory'
  pid: number
  value: number
  stack: string
}

export interface NativeWatch {
  add(seat: number, pid: number, limits: WatchLimits): void
  remove(seat: number): void
  take(): WatchReport[]
  reading(seat: number): ProcessReading | null
  close(): void
}

export interface Addon {
  version(): string
  /**
   * Opens the calling environment, with the memories that it shares. `onRing` is called when something has come in,
   * `onTurn` after a turn of the event loop that was asked for.
   */
  open(
    call: Uint8Array,
    scratch: Uint8Array,
    input: Uint8Array,
    notices: Uint8Array,
    onRing: () => void,
    onTurn: () => void
  ): Environment

  /** The number of a list of keys (JSON text); -1 when the table is full. */
  internShape(keys: string): number
  shapeKeys(id: number): string

  // From here on: not on Windows, which `Region` tells.
  Region: { create(spec: RegionSpec): NativeRegion; open(fd: number, schema: bigint): NativeRegion }
  RegionLook: { open(path: string): RegionLook }
  Watch: new (region: NativeRegion, maps: number[]) => NativeWatch
  shareCpu(busy: number): boolean
  guardParent(parent: number, grace: number): void
  killProcess(pid: number): boolean
  killDescendants(): void
  adoptsOrphans(): boolean
  zombies(): number[]
  reap(pid: number): boolean
  notify(path: string, state: string): void
  duplicate(fd: number): number
  /** None when the system refuses. */
  listenAtPath(path: string, backlog: number): number | null
  /** What has come on a socket, and stays there to be read. */
  peek(fd: number, most: number): Buffer | null
  /** Has the other end of the socket gone, and everything been read? */
  hasEnded(fd: number): boolean
  /** How many bytes the system took at once. */
  sendNow(fd: number, bytes: Uint8Array): number
  availableParallelism(): number
  readProcess(pid: number, share: boolean): ProcessReading | null
  /** What is cheap to know of a process. */
  readUsage(pid: number): ProcessReading | null
  /** The program at the other end of a Unix socket. Linux only. */
  peerOf?(fd: number): { uid: number; pid: number }
  readGroupMemory(): { limit?: number; used?: number; oomKills?: number }
}
