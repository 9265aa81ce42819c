// The interface of the addon. src/node declares the same names, and a test compares them.

import type { PoolStats, WorkerStats } from '../../types/observation.js'

/** The number of a task, of its owner or of the scheduler, as a 32-bit pattern. */
type Key = number
type Generation = number

/** A pool, as its owner steers it. The methods of a released pool throw. */
export interface NativePool {
  /** The number of the pool in this environment: one of the numbers that `submit` reads. */
  readonly index: number
  /** The number of the pool in this process, by which an isolate joins it. */
  readonly uid: number

  /** The pool has ended, and is not used any more. */
  release(): void
  close(): void
  destroy(): void
  /** Sets when isolates are replaced: after so many tasks, after so many milliseconds, or each after one task. */
  recycle(tasks: number, age: number, oneTask: boolean): void
  /** Has all isolates replaced, one after another. */
  wearAllOut(): void
  configureGroup(name: string, weight: number, maxRunning: number): void
  /** The config that this pool gives a plugin, as JSON text, before the plugin's first task. */
  configurePlugin(id: number, config: string | undefined): void
  /** Sets the function that the number `TARGET.OWN` names (JSON text), and its name. */
  setOwnTarget(text: string, name: string): void
  /** @returns the number by which tasks name a function that isolates are to find (JSON text) */
  addTarget(text: string, name: string): number
  /** No new task will name this target. */
  forgetTarget(number: number): void
  /** Makes room for the workers that are missing up to the minimum, or up to `least`. The caller starts them. */
  reserveMinimum(lane: number, least: number): number[]
  pause(paused: boolean): void
  resize(min: number, max: number): void
  /** @returns how many tasks that were */
  cancelWaiting(): number
  /** The isolate of a worker is being started: its start limit begins. */
  beginStart(worker: number): void
  /** Asks for a notice after so many milliseconds. An earlier one that was asked for stays earlier. */
  remind(reminder: number, ms: number): void
  /**
   * Gives no more tasks to a worker that was rung and does not come, since its isolate is ended.
   * @returns for how many milliseconds it has not come; -1 if it has come meanwhile
   */
  endStalled(worker: number): number
  /** Puts off the end of a worker that does not come. */
  excuse(worker: number): void
  /** The isolate of a worker has ended. */
  leave(worker: number): void

  /** Reserves room for one task before its input is taken from the caller. @returns one of `SUBMITTED` */
  reserve(lane: number): number
  /** Gives the reserved room back: the task does not come. */
  unreserve(): void
  /** Takes back a direct submission whose input could not be sent. @returns false when it has ended meanwhile */
  undo(worker: number, slot: number, generation: Generation): boolean
  /** A task whose input is being sent leaves its place to other tasks, or takes it again. */
  setWaits(worker: number, slot: number, waits: boolean): void
  /** @returns whether the caller is now the one to settle the task */
  cancel(key: Key, generation: Generation): boolean
  /** The reader of a native stream has taken so many chunks. */
  hasRead(key: Key, generation: Generation, chunks: number): void

  load(): [queued: number, running: number]
  /** The workers that are ready and not about to be replaced. */
  readyIds(lane: number): number[]
  readyCount(lane: number): number
  /** JSON of a `Snapshot`. */
  stats(): string
  /** JSON of `[min, mean, stddev, [[ms, count], …]]`. */
  times(what: number): string
  /** JSON of `Measures`. */
  measures(): string
  resetTimes(what: number): void
  /** Counts a call that failed before it was submitted. Does nothing once the pool has ended. */
  countUnsubmitted(why: number): void
}

/** The number of times in each bucket, of which the last is above all bounds, and the sum of the times in seconds. */
export type Times = [counts: number[], sum: number]

/** The times of tasks by name: from the call to the start, and from the start to the end. */
export type Measures = [bounds: number[], [name: string, wait: Times, run: Times][]]

/** A running task: among others the milliseconds that it has run, and the progress of a native task. */
export type RunningTask = [
  ticket: number,
  target: number,
  name: string | null,
  running: number,
  progress: { bytes: number; rows: number } | null
]

/** The scheduler's part of the statistics of a worker. JavaScript adds the readings of isolates. */
export type WorkerSnapshot = Omit<WorkerStats, 'tasks' | 'number' | 'threadId' | 'heap' | 'eventLoopUtilization'> & {
  tasks: RunningTask[]
}

/** The scheduler's part of the statistics of a pool. */
export type Snapshot = Omit<PoolStats, 'workers' | 'busy' | 'idle'> & { workers: WorkerSnapshot[] }

/**
 * The functions that are bound to one environment. They take further arguments from the memories that JavaScript and
 * Rust share.
 */
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
  /** As `submit`, for a task with params, counters or a group, or a task that a running one waits for. */
  submitWith(
    encoded: ArrayBufferView | (ArrayBufferView | number)[] | string | undefined,
    params: string | undefined,
    counters: BigInt64Array | undefined,
    counterNames: string | undefined,
    group: string | undefined,
    outer: Key | undefined,
    outerGeneration: Generation | undefined,
    progress: boolean,
    /** The number of chunks for which there is room; 0 if the task is no stream. */
    room: number
  ): void
  /** As `submit`, for an input that a port carries: only if a worker can take the task at once. */
  submitDirect(): void
  /** Hands over an outcome, if a slot is named, and takes the next task. */
  exchange(encoded?: ArrayBufferView | string): void
  /** Hands over an outcome. */
  finish(encoded?: ArrayBufferView | string): void

  /** The reasons for which the doorbell was rung, as bits. */
  answer(): number
  /**
   * Fills the memory of notices, once all notices in it have been read. @returns how many notices, and a bit above if
   * there are more
   */
  drain(): number
  /** Says whether the event loop is blocked. */
  block(blocked: boolean): void
  /** Blocks until there is something to drain, or for so many milliseconds. */
  wait(ms: number): void
  /** Says whether the doorbell keeps the event loop alive. */
  keepAlive(alive: boolean): void
  /** Asks for a call of `onTurn`, or for a ring of the doorbell, after a turn of the event loop. */
  turn(byRing: boolean): void
  /** The bytes or the text of a notice that did not fit into the memory of notices. */
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
  /** Says that a task that was sent through the port has arrived. */
  hasSeen(): void
  /** Says that the worker, which was told to end, has nothing left to do. */
  tornDown(): void
  /** The function that a task of this worker names. */
  target(number: number): string

  // Not on Windows.
  /** Rings the bell when the socket has bytes, has ended, or has waited for `patience` milliseconds. Linux only. */
  awaitBytes?(fd: number, name: number, patience: number): boolean
  /** The names of the sockets that no longer wait. Linux only. */
  takeAwaited?(): number[]
  endAwaiting?(): void
  /** Receives the messages of the region behind a descriptor from now on; no messages if the descriptor is -1. */
  hear(fd: number): void
  want(topic: string, wanted: boolean): void
  /** A message, the number of missed messages, or nothing. The slot of a publisher without a slot is -1. */
  nextMessage():
    | [topic: string, tag: number, memory: ArrayBuffer, pid: number, slot: number, generation: number]
    | number
    | undefined
  // Not on Windows: the locks of a cluster, for one process.
  /** Opens the locks of the region behind a descriptor, for the process in the seat. */
  openLocks(fd: number, seat: number): void
  /** Queues for a name. @returns the ticket; 0 when there is no room for a further name */
  enterLock(name: string): number
  holdsLock(ticket: number): boolean
  /** @returns after a ring, the tickets of the claims that now hold their lock */
  lookAtLocks(): number[]
  /**
   * Leaves the queue, or releases the lock. @returns the ticket of the claim in this process that holds the lock now,
   * or 0
   */
  leaveLock(ticket: number): number
  /** Releases all locks. */
  closeLocks(): void

  // Not on Windows: keys that the processes of a cluster share.
  /** Opens the keys of the region behind a descriptor, for the process in the seat; -1 for the primary. */
  openKeys(fd: number, seat: number): void
  /** @returns 1 for the first call within the time, 0 for the others, or one of `REFUSED` */
  once(key: string, ttl: number): number
  /** @returns how many points are left, one of `REFUSED`, or below these the nanoseconds until they could be given */
  takePoints(limit: number, key: string, n: number, points: number, per: number, burst: number): number
  closeKeys(): void

  /** Sets the memory that shared maps write to. Called once, before the first map is made. */
  mapMemory(bytes: Uint8Array): void
  createMap(bytes: number, seats: number, ttl: number, evict: boolean, maxValue: number): NativeMap
  openMap(fd: number, seat: number): NativeMap
  /** The map that another thread of this process has shared. */
  joinMap(number: number): NativeMap | undefined
  /** Whether this process has a map of this number; undefined where there are no maps. */
  hasMap?(number: number): boolean

  /** Loads a plugin, unless that has been done. @returns JSON text: a `LoadedPlugin`, or `{ code, message }` */
  loadPlugin(path: string): string
  /** The config that all pools without a config of their own give a plugin, as JSON text. The first one counts. */
  configurePlugin(id: number, config: string | undefined): void
  /** The target of a native task is its place in this list. The list only grows. */
  taskNames(): string[]
  /** Whether a native task can be called as a stream. */
  taskEmits(number: number): boolean
  /** The most similar name of a native task, or ''. */
  suggestTask(name: string): string
  cpuCount(): number
}

/**
 * A shared map, as this environment sees it. A value is a simple one, or is described in memory. `MAPPED` says what was
 * done. Times are in milliseconds: infinite for none, negative for the default of the map.
 */
export interface NativeMap {
  /** A simple value, or the place of another one. With `stale`, a stale value is given, too. */
  get(key: string, stale?: boolean): string | number | boolean | bigint | null | undefined | Uint8Array | ArrayBuffer
  has(key: string): boolean
  put(key: string, value: unknown, mode: number, ttl: number, stale?: number, version?: number): number
  /** The value that the next `put` expects. */
  expect(value: unknown): void
  /** Undefined when `FAILURE` says why. */
  increment(key: string, n: number | bigint, initial: number | bigint, ttl: number): number | bigint | undefined
  remove(key: string): boolean
  ttl(key: string): number | undefined
  expire(key: string, ttl: number): number
  version(key: string): number
  clear(): void
  /** The keys of some sets; `NEXT` says where to go on. */
  keys(from: number, prefix: string): string[]
  /**
   * Bytes, bytes in use, entries, evicted, expired, locks taken over, blocks recovered; then blocks that no process owns,
   * and blocks that processes have in hand.
   */
  statistics(): number[]
  /** @returns the number of the lease; 0 if another caller has it, and less if there is no room */
  lease(key: string): number
  renewLease(lease: number): void
  endLease(lease: number): void
  /** Whether a living holder has the lease of a key. */
  isLeased(key: string): boolean
  /** Says that a caller waits for a change of the key. */
  announce(key: string): void
  /** Says that one caller more, or one less, waits here. */
  wait(more: boolean): void
  /** A process has ended. */
  retire(seat: number): void
  /** As `retire`, and puts in order what the process left behind. @returns how many blocks were put in order for it */
  recover(seat: number): number
  /** The number by which other threads know the map. With `keep` the map lasts as long as the process. */
  share(keep: boolean): number
  fd(): number
  /** The words that show whether an entry is still the same, or all words. */
  words(whole: boolean): ArrayBuffer | undefined
  /** Whether the coarse clock of the map runs from now on. */
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

/** One part of a region. `offset` is in bytes from the start of the region. */
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
  /** The ring: one part, or none. */
  ring: RegionSection
  total: number
}

/** A question to a helper thread. */
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
  /** Publishes a message. The primary has no seat. @returns one of `PUBLISHED` */
  publish(seat: number | undefined, topic: string, tag: number, bytes: Uint8Array, sender: MessageSender): number
  ask(seat: number, kind: number, argument: number): number | null
  question(seat: number): HelperQuestion | null
  answer(seat: number, number: number, answer: HelperAnswer): void
  /** Null while there is no answer. */
  takeAnswer(seat: number, number: number): HelperAnswer | null
  /** True if there was an answer that no caller took. */
  dropAnswer(seat: number): boolean
}

/** A read-only view of a region of other processes. */
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
   * and `onTurn` after a turn of the event loop that `turn` asked for.
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

  // From here on: not on Windows. The presence of `Region` tells.
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
  /** Null if the system refuses. */
  listenAtPath(path: string, backlog: number): number | null
  /** The bytes that have come on a socket. They stay there to be read. */
  peek(fd: number, most: number): Buffer | null
  /** Has the other end of the socket gone, and everything been read? */
  hasEnded(fd: number): boolean
  /** Sends bytes, and gives how many the system took at once. */
  sendNow(fd: number, bytes: Uint8Array): number
  availableParallelism(): number
  readProcess(pid: number, share: boolean): ProcessReading | null
  /** The cheap readings of a process. */
  readUsage(pid: number): ProcessReading | null
  /** The program at the other end of a Unix socket. Linux only. */
  peerOf?(fd: number): { uid: number; pid: number }
  readGroupMemory(): { limit?: number; used?: number; oomKills?: number }
}
