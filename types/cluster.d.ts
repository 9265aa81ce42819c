/**
 * The cluster helper: several processes on one port, kept up, drained and reloaded without a lost
 * request, with counters that they share. Unix only.
 */

import type { EventEmitter } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import type { Coordination, Limit, LimitOptions } from './locks.js'
import type { SharedMap, SharedMapOptions } from './shared-map.js'

export type * from './locks.js'

/**
 * In the primary: starts the processes, and returns their supervisor at once. In a process of the
 * cluster: runs `main` with the context, and returns that context. The program's own file runs in
 * every process, so the same call is met again there (the type is that of the primary).
 *
 * @throws `ERR_RSPOOL_INVALID_ARGUMENT` for wrong arguments or options
 * @throws `ERR_RSPOOL_CLUSTER_RUNNING` when this program runs a cluster already
 * @throws `ERR_RSPOOL_NOT_PRIMARY` in a thread, and in a process that other means forked
 */
export function run(main: (context: ClusterContext) => unknown, options?: ClusterOptions): Supervisor
/**
 * Runs an application's file, unchanged, in every process. It is ready when it listens, or when it
 * calls `cluster.current.ready()`.
 *
 * @param file an absolute path, a path relative to the working directory, or a `file:` URL
 */
export function run(file: string | URL, options?: ClusterOptions): Supervisor

/** True in the program that starts the processes, and where there is no cluster. */
export const isPrimary: boolean

/** In a process of a cluster its context, elsewhere undefined. */
export const current: ClusterContext | undefined

/** Numbers in milliseconds, unless said otherwise. */
export interface ProcessOptions {
  /** Added to the environment of the process; a function gets the slot. */
  env?: Record<string, string | undefined> | ((slot: number) => Record<string, string | undefined>)
  /** Arguments after the file. @default those of this program for a function, none for a file */
  args?: string[]
  /** Options of Node. @default those of this program */
  execArgv?: string[]
  /** The working directory. @default that of this program */
  cwd?: string
}

export interface ClusterOptions extends ProcessOptions {
  /**
   * How many processes. 'auto' is what CPU affinity and cgroup quota allow; 0 runs `main` in this
   * process, with the same context and supervisor. @default 'auto'
   */
  processes?: 'auto' | number
  /** `scale()` cannot go beyond it; the region has room for so many. @default the larger of 64 and `processes` */
  maxProcesses?: number
  /**
   * So many processes are booted beside, as far as they can be without listening, and take a slot at once
   * when it needs a process. At most 64; none with `processes: 0`. @default 0
   */
  spare?: number
  /** 'rr': the primary accepts and hands on in turn. 'none': the processes accept. @default 'rr' */
  policy?: 'rr' | 'none'
  /** How messages are encoded; 'advanced' is structured clone. @default 'advanced' */
  serialization?: 'advanced' | 'json'
  /** Names of counters that all processes share. @default [] */
  counters?: string[]
  /** Names of gauges. @default [] */
  gauges?: string[]
  /** Upper bounds of the buckets of each histogram, rising, at most 256. @default {} */
  histograms?: Record<string, number[]>
  /** What a drain may take before connections are cut and the process is killed. @default 10000 */
  grace?: number
  /**
   * How long the processes go on serving after `stop()` or a SIGTERM, while `context.stopping` and `/ready` of
   * `metricsPort` say that they will end: until a load balancer has heard of it. `grace` begins after that.
   * @default 0
   */
  lameDuckDelay?: number
  /** In a drain an idle connection is closed after so long (or its server's `keepAliveTimeout`, if that is less). @default 5000 */
  drainIdle?: number
  /** How long a process outlives a primary that was killed. @default 1500 */
  orphanGrace?: number
  /** A process that is not ready by then is killed, and counts as failed. @default 30000 */
  readyTimeout?: number
  /** So many failures before any process was ever ready end the primary with code 3. @default 3 */
  bootAttempts?: number
  /** The wait before a restart: none for the first, then `initial · factorⁿ` up to `max`, ± `jitter` of itself. */
  backoff?: {
    /** @default 100 */
    initial?: number
    /** @default 15000 */
    max?: number
    /** @default 2 */
    factor?: number
    /** A share from 0 to 1. @default 0.2 */
    jitter?: number
    /** Up for so long, a process has forgotten the failures before. @default 10000 */
    stableAfter?: number
  }
  /** More deaths than `restarts` within `window` are a crash loop. */
  crashLoop?: {
    /** @default 5 for each process */
    restarts?: number
    /** @default 60000 */
    window?: number
    /** When no process is ready: 'exit' ends the primary with code 70, 'hold' leaves the slot empty. @default 'exit' */
    action?: 'exit' | 'hold'
  }
  /** An event loop that does not turn for so long is stalled: named with its stack, killed, replaced. Infinity: never. @default 30000 */
  stallTimeout?: number
  /** Keep a helper thread in each process that can read the stack of a stalled loop (about 8 MB). @default true */
  stallStack?: boolean
  /**
   * Bytes of resident memory without what is shared with others, or a share of the control group's limit as '25%',
   * above which a process is replaced. @default no limit
   */
  memoryLimit?: number | `${number}%`
  /** Replace processes now and then, one at a time. */
  recycle?: {
    /** After so many HTTP requests. @default Infinity */
    requests?: number
    /** After so long. @default Infinity */
    age?: number
    /** Each process' own limit varies by this share. @default 0.1 */
    jitter?: number
  }
  /** Let the pools of all processes share one CPU budget. @default true */
  budget?: boolean
  /** Handle SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR2, SIGTTIN and SIGTTOU in the primary. @default true */
  signals?: boolean
  /** End the primary after a signal, a crash loop, or when nothing boots. @default true */
  exit?: boolean
  /**
   * Serve `metrics()` at `/metrics` of this port, whether a request would be answered now at `/ready`, and whether there
   * is hope that one will be at `/live`. @default not
   */
  metricsPort?: number
  /** @default '127.0.0.1' */
  metricsHost?: string
  /**
   * Opens a Unix socket through which `npx rspool reload`, `scale`, `restart` and `stop` speak with the primary; without
   * it they use signals. Only the primary's user may open it (mode 0600), and the peer is checked. A string is its path;
   * true puts it into `$RUNTIME_DIRECTORY`, `$XDG_RUNTIME_DIR/rspool`, or a folder of the user for temporary files. That
   * it could not be opened is a line in the log. @default false
   */
  admin?: boolean | string
  /**
   * What others may read of the URLs of requests in flight: in `status()`, in the log, and in the shared region. 'path' is
   * the URL without its query. Long ones are cut. @default 'path'
   */
  requestUrls?: 'path' | 'full' | false
  /**
   * Has each request, and each upgrade, answered by the process whose session it belongs to: where the id of the session is,
   * that `context.sticky(io)` or `context.sessionId()` has made. 'socket.io' is `{ query: 'sid' }`. A function gets the head of
   * a request and gives the id, or a text with the id in it; it needs `cluster.run(function)`. What is in no session, or in one
   * whose process has gone, is answered where it came to. @default no sessions
   */
  sticky?:
    | 'socket.io'
    | { query: string }
    | { cookie: string }
    | ((head: { method: string; url: string; headers: IncomingHttpHeaders }) => string | undefined)
  /**
   * Bytes of the ring through which `publish` goes, rounded up to a power of two: 4096 to 134217728, or 0 for none. A message
   * may have a quarter of it. A process that falls behind by more misses messages, and hears how many.
   * @default 4194304
   */
  publishBytes?: number
  /** Maps that all processes share, by name. They last as long as the primary. @default {} */
  maps?: Record<string, SharedMapOptions>
  /** Limits that all processes share, by name. @default {} */
  limits?: Record<string, LimitOptions>
  /** How many keys all limits have room for, at 40 bytes each; the quietest make room for others. @default 65536 */
  limitKeys?: number
  /** How many keys `once` has room for, at 40 bytes each. @default 16384 */
  onceKeys?: number
  /** Bytes of messages that may wait for one process, or in one for the primary; one message may be larger. @default 67108864 */
  maxQueuedBytes?: number
  /**
   * Where the standard output and error of the processes go. 'inherit': to those of the primary, as they are. 'prefix': line
   * by line, as `<slot>.<generation> <pid> | …`. 'json': line by line, as `{ time, slot, generation, pid, stream, line }`.
   * Without effect when `processes` is 0. @default 'inherit'
   */
  output?: 'inherit' | 'prefix' | 'json'
  /** Gets each line that would go to standard error; false drops them. What it throws ends nobody. */
  log?: false | ((line: string) => void)
}

/** Who has published a message. */
export interface Publisher {
  /** None of the primary, and of a spare process. */
  readonly slot: number | undefined
  /** 0 where there is no slot. */
  readonly generation: number
  readonly pid: number
}

/**
 * Messages by topic, to all processes of the cluster and to the primary, the publisher among them. Each subscriber gets a
 * message once or not at all, and all get them in the same order.
 */
export interface Topics {
  /**
   * Publishes a message, encoded now: what `structuredClone` takes, without what only a port can carry (ports, shared
   * memory). Nobody is waited for.
   *
   * @param topic 1 to 250 bytes
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` when message and topic have more bytes than a quarter of `publishBytes`
   * @throws `DataCloneError` for a message that cannot be cloned
   * @throws `ERR_RSPOOL_PUBLISH_BUSY` when a process that was stopped (SIGSTOP) in the middle of publishing has kept its place
   * until the whole ring was full
   * @throws `ERR_RSPOOL_UNSUPPORTED` when `publishBytes` is 0, `ERR_RSPOOL_CLUSTER_STOPPED` when the cluster has ended
   */
  publish(topic: string, message: unknown): void
  /**
   * Calls the listener, from now on, with a copy of its own of each message about the topic. It keeps no process alive.
   *
   * @returns what ends the subscription
   */
  subscribe(
    topic: string,
    listener: (message: any, publisher: Publisher) => unknown,
    options?: {
      /**
       * Hears how many messages, of all topics, were written over before this process could read them: its event loop was
       * busy for longer than `publishBytes` lasts.
       */
      onMissed?: (count: number) => unknown
    }
  ): () => void
}

/** What `main` gets. Frozen. */
export interface ClusterContext extends Messages, Topics, Coordination {
  /**
   * The stable place of this process, from 0. A spare process has none before it takes a slot: reading it
   * then throws `ERR_RSPOOL_NO_SLOT`, except that a main that reads it before anything that takes time is
   * called when there is one.
   */
  readonly slot: number
  /** Which process of its slot this is, counted from 1. In a spare process it throws as `slot` does. */
  readonly generation: number
  /** Resolves when this process has a slot: at once, except in a spare process. */
  readonly assigned: Promise<void>
  /** True from the moment on at which this process was told to end, also during `lameDuckDelay`. */
  readonly stopping: boolean
  readonly counters: ClusterCounters
  readonly gauges: ClusterGauges
  readonly histograms: ClusterHistograms
  /** The maps that the option `maps` names. */
  readonly maps: Readonly<Record<string, SharedMap>>
  /** Aborted when the drain begins: for streams and long answers. */
  readonly signal: AbortSignal
  /** Sockets that systemd opened, for `server.listen({ fd })`. */
  readonly sockets: readonly { readonly name: string; readonly fd: number }[]
  /**
   * Runs in a drain when the connections have ended, or when four fifths of the grace are over; the
   * last one registered first. Returns what takes it away.
   */
  onDrain(hook: () => unknown, options?: { timeout?: number }): () => void
  /** Says that this process is ready, whatever its servers do. */
  ready(): void
  /**
   * Keeps the sessions of a socket.io server with this process. It makes their ids, and ends them in a drain, spread over the
   * first half of the grace, with engine.io's message for that: clients connect anew, and come to other processes.
   *
   * @param io a server of socket.io that was given its HTTP server, or one of engine.io
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` for anything else, and without the option `sticky`
   */
  sticky(io: object): void
  /**
   * An id for a new session of this process: 30 to 50 letters, digits, `-`, `_` and `.`, of which nobody can guess one. Requests
   * that have it where `sticky` says are answered by this process.
   *
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` without the option `sticky`, `ERR_RSPOOL_NO_SLOT` in a spare process
   */
  sessionId(): string
}

/** What the other side of a message knows of the sender. */
export interface Sender {
  readonly slot: number
  readonly generation: number
  readonly pid: number
}

export interface Messages {
  /** Sends to the primary. Resolves when the channel has taken it; need not be awaited. */
  send(message: unknown): Promise<void>
  /**
   * Sends to the primary, and gives its answer.
   * Rejects with `ERR_RSPOOL_REQUEST_TIMEOUT` (default 10000 ms), `ERR_RSPOOL_PROCESS_EXIT`, or what the other side threw:
   * its class (of the built-in ones), message, stack, properties and cause.
   */
  request(message: unknown, options?: { timeout?: number }): Promise<any>
  onMessage(listener: (message: any, sender: Partial<Sender>) => unknown): () => void
  /** The function whose result, awaited, answers requests. */
  onRequest(answer: (message: any, sender: Partial<Sender>) => unknown): void
}

export type SlotState = 'booting' | 'ready' | 'draining' | 'stalled' | 'backing-off' | 'failed' | 'stopped'

/**
 * What is read of a slot: `'unresponsive'` is a process that is ready and whose event loop has not turned for a second.
 * Nothing follows from that, and the next turn ends it.
 */
export type ReadingState = SlotState | 'unresponsive'

/** A request in flight. */
export interface RequestReading {
  readonly method: string
  /** As `requestUrls` says, and as much as there is room for. */
  readonly url?: string
  /** How long ago it began, in milliseconds. */
  readonly ageMs: number
}

/** Why a process ended. */
export interface Cause {
  readonly kind:
    | 'exit'
    | 'signal'
    | 'boot-error'
    | 'ready-timeout'
    | 'stalled'
    | 'out-of-memory'
    | 'stop'
    | 'reload'
    | 'restart'
    | 'scale'
    | 'roll-back'
    | 'memory'
    | 'age'
    | 'requests'
    | 'forced'
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** For people. */
  readonly message: string
  /** The supervisor wanted it, or the process was told to end: no failure. */
  readonly planned: boolean
  /** Work was cut: it was killed, or its grace was over. */
  readonly forced: boolean
  readonly error?: { name?: string; message: string; stack?: string; code?: string }
}

export interface ReloadOptions extends ProcessOptions {
  /** Another file from now on. */
  filename?: string | URL
  /** 'surge': slot by slot. 'all': all new processes are ready before the first old one goes. @default 'surge' */
  strategy?: 'surge' | 'all'
  /** The first new processes serve beside the old ones for a while, and may neither die nor answer with 5xx too often. */
  canary?:
    | boolean
    | {
        /** @default 1 */
        slots?: number
        /** @default 1000 */
        watch?: number
        /** @default 0 */
        maxErrors?: number
      }
}

export interface ReloadReport {
  readonly replaced: number
  /** Old processes that had to be cut. */
  readonly forced: number
  readonly durationMs: number
}

export interface SupervisorEvents {
  /** `delay`: with `to: 'backing-off'`, how long until the next start, in milliseconds. */
  state: [info: { slot: number; pid: number | undefined; from: SlotState; to: SlotState; delay?: number }]
  exit: [info: Sender & { cause: Cause }]
  message: [message: any, sender: Sender]
  stalled: [info: Sender & { silentMs: number; stack: string }]
  memory: [info: Sender & { rss: number }]
  recycle: [info: Sender & { reason: 'memory' | 'age' | 'requests' }]
  /** What became of a spare process; with the slot that it was given, or the cause of its end. */
  spare: [
    info: { pid: number | undefined; to: 'booting' | 'ready' | 'assigned' | 'ended'; slot?: number; cause?: Cause }
  ]
  /** Connections that an ended process had not taken: given to others, kept for the next process, or closed as none was to come. */
  handoff: [info: Sender & { resent: number; kept: number; closed: number }]
  crashloop: [info: { slot: number; restarts: number; held: boolean }]
  reload: [report: ReloadReport]
  close: [exitCode: number]
}

export interface Supervisor extends EventEmitter<SupervisorEvents>, Topics {
  /** Resolves when every slot is ready, or has failed while others are; rejects with `ERR_RSPOOL_NO_BOOT`, `ERR_RSPOOL_CRASH_LOOP` or `ERR_RSPOOL_CLUSTER_STOPPED`. */
  readonly ready: Promise<void>
  /** Resolves with the exit code when the last process has gone. */
  readonly closed: Promise<number>
  readonly size: number
  readonly processes: { slot: number; pid: number | undefined; generation: number; state: SlotState }[]
  readonly counters: ClusterCounters
  readonly gauges: ClusterGauges
  readonly histograms: ClusterHistograms
  /** The maps that the option `maps` names. */
  readonly maps: Readonly<Record<string, SharedMap>>
  /** The limits that the option `limits` names. */
  readonly limits: Readonly<Record<string, Limit>>
  /**
   * Replaces all processes, the new ones first. Calls during a reload share one more. Rejects with
   * `ERR_RSPOOL_RELOAD` when a new process does not get ready: then the old ones go on.
   */
  reload(options?: ReloadOptions): Promise<ReloadReport>
  /** Changes the number of processes; resolves when the new ones are ready, or the old ones gone. */
  scale(processes: number): Promise<void>
  /** Replaces the process of one slot, the new one first, or revives a slot that failed. */
  restart(slot: number): Promise<void>
  /** Drains all processes. The program ends by itself if nothing else keeps it. */
  stop(): Promise<{ forced: number; durationMs: number }>
  status(): ClusterStatus
  /** Prometheus text. No process is asked. */
  metrics(): string
  send(slot: number, message: unknown): Promise<void>
  /** Gives how many processes took it. */
  broadcast(message: unknown): Promise<number>
  request(slot: number, message: unknown, options?: { timeout?: number }): Promise<any>
  onRequest(answer: (message: any, sender: Sender) => unknown): void
}

export interface ClusterStatus {
  readonly state: 'booting' | 'ready' | 'scaling' | 'degraded' | 'stopping' | 'draining' | 'stopped'
  readonly size: number
  readonly ready: number
  readonly processes: ProcessStatus[]
  /** Processes without a slot; 'ready' ones can take one. */
  readonly spares: SpareStatus[]
  readonly budget: { readonly tokens: number; readonly free: number }
  readonly counters: Record<string, number>
}

/** What is known of a process, with a slot or without. What the platform does not tell is undefined. */
export interface ProcessReading {
  readonly pid?: number
  readonly uptimeMs?: number
  readonly readyMs?: number
  /** Cores in use over the last second. */
  readonly cpu?: number
  /** CPU time so far. */
  readonly cpuMs?: number
  readonly rss?: number
  readonly pss?: number
  readonly threads?: number
  readonly fds?: number
  readonly fdLimit?: number
  readonly heapUsed?: number
  readonly heapLimit?: number
  readonly external?: number
  /** Since the event loop last turned: the age of this reading. */
  readonly beatAgeMs?: number
  /** How late the event loop is; never less than it has been silent. */
  readonly loopDelayMs?: number
  /** From 0 to 1. */
  readonly utilization?: number
  /** HTTP requests begun, and answers with 5xx. */
  readonly requests?: number
  readonly errors?: number
  readonly connections?: number
  /** Requests that have begun and are not answered in full. */
  readonly inFlight?: number
  readonly oldestRequest?: RequestReading
  /** The last one that has begun, if it is in flight: a loop that hangs usually does so in it. */
  readonly lastRequest?: RequestReading
  readonly pool?: { readonly queued: number; readonly running: number }
}

export interface ProcessStatus extends ProcessReading {
  readonly slot: number
  readonly state: ReadingState
  readonly generation: number
  readonly restarts: number
  /** The last ten deaths. */
  readonly causes: { readonly at: number; readonly kind: Cause['kind']; readonly message: string }[]
  /** What the slot has counted. */
  readonly counters: Record<string, number>
  /** The pid of the process that is to take over. */
  readonly replacing?: number
  /** The pids of processes on their way out. */
  readonly draining: number[]
}

export interface SpareStatus extends ProcessReading {
  readonly state: 'booting' | 'ready' | 'unresponsive' | 'draining' | 'exited'
}

/**
 * 64-bit counters over a region: each slot adds to a row of its own, a reading is the sum. What a
 * killed process had added stays. Methods throw `ERR_RSPOOL_INVALID_ARGUMENT` for unknown names.
 */
export class ClusterCounters {
  /** The counters in another thread of the same process. */
  static from(shared: ReturnType<ClusterCounters['share']>): ClusterCounters
  readonly names: string[]
  /** Adds and gives the new total, to which others may be adding. @default n = 1 */
  add(name: string, n?: number | bigint): number
  /** @default n = 1 */
  sub(name: string, n?: number | bigint): number
  get(name: string): number
  getBigInt(name: string): bigint
  /** Makes the total `value`; what others add meanwhile is kept. */
  set(name: string, value: number | bigint): number | bigint
  /** Gives what was there. */
  reset(name: string): number
  reset(): Record<string, number>
  snapshot(): Record<string, number>
  /** Plain data for `workerData`; good in threads of this process only. */
  share(): { fd: number; names: object; row: number }
  toJSON(): Record<string, number>
}

/** Each process sets its own share; a reading is the sum. The share of a process that has ended is 0. */
export interface ClusterGauges {
  readonly names: string[]
  set(name: string, value: number): void
  /** @default value = 1 */
  add(name: string, value?: number): number
  get(name: string): number
  snapshot(): Record<string, number>
}

export interface HistogramReading {
  readonly bounds: number[]
  /** How many values were in each bucket; the last is above all bounds. */
  readonly buckets: number[]
  readonly sum: number
  readonly count: number
}

export interface ClusterHistograms {
  readonly names: string[]
  observe(name: string, value: number): void
  get(name: string): HistogramReading
  snapshot(): Record<string, HistogramReading>
}
