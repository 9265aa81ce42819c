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

/** The options of {@link run}. One that is unknown or not allowed throws `ERR_RSPOOL_INVALID_ARGUMENT`. */
export interface ClusterOptions extends ProcessOptions {
  /**
   * How many processes. 'auto' is what CPU affinity and cgroup quota allow; 0 runs `main` in this
   * process, with the same context and supervisor. @default 'auto'
   */
  processes?: 'auto' | number
  /** `scale()` cannot go beyond it; the region has room for so many. @default the larger of 64 and `processes` */
  maxProcesses?: number
  /**
   * How many spare processes are kept. Each is booted as far as it can be without listening, and takes a slot at once
   * when the slot needs a process. At most 64; none with `processes: 0`. @default 0
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
  /** How long a drain may take, before connections are cut and the process is killed. @default 10000 */
  grace?: number
  /**
   * How long the processes go on serving after `stop()` or a SIGTERM, while `context.stopping` and `/ready` of
   * `metricsPort` say that they will end: until a load balancer has heard of it. `grace` begins after that.
   * @default 0
   */
  lameDuckDelay?: number
  /** How long an idle connection is kept in a drain; its server's `keepAliveTimeout`, if that is less. @default 5000 */
  drainIdle?: number
  /** How long a process outlives a primary that was killed. @default 1500 */
  orphanGrace?: number
  /** A process that is not ready after so long is killed, and counts as failed. @default 30000 */
  readyTimeout?: number
  /** If so many processes fail before any was ever ready, the primary ends with code 3. @default 3 */
  bootAttempts?: number
  /** The wait before a restart: none for the first, then `initial · factorⁿ` up to `max`, ± `jitter` of itself. */
  backoff?: {
    /** The wait before the second restart. @default 100 */
    initial?: number
    /** The longest wait. @default 15000 */
    max?: number
    /** How much longer each wait is than the one before. @default 2 */
    factor?: number
    /** How much a wait varies at random: a share from 0 to 1. @default 0.2 */
    jitter?: number
    /** A process that has been up for so long counts as healthy: its failures before are forgotten. @default 10000 */
    stableAfter?: number
  }
  /** More deaths than `restarts` within `window` are a crash loop. */
  crashLoop?: {
    /** Deaths that are allowed within `window`. @default 5 per process */
    restarts?: number
    /** The length of the window. @default 60000 */
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
  /** The address that `metricsPort` listens on. @default '127.0.0.1' */
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
   * a request and gives the id, or a text with the id in it; it needs `cluster.run(function)`. A request without a session, or of
   * a session whose process has gone, is answered by the process that it came to. @default no sessions
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
  /** Gets each line that would go to standard error; false drops them. An error that it throws is ignored. */
  log?: false | ((line: string) => void)
}

/** The process that published a message. */
export interface Publisher {
  /** Its slot; undefined for the primary and for a spare process. */
  readonly slot: number | undefined
  /** The generation of its slot; 0 where there is no slot. */
  readonly generation: number
  /** The process id of the publisher. */
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
  /** The counters that the option `counters` names. Each process adds to a row of its own, a reading is the sum. */
  readonly counters: ClusterCounters
  /** The gauges that the option `gauges` names. */
  readonly gauges: ClusterGauges
  /** The histograms that the option `histograms` names. */
  readonly histograms: ClusterHistograms
  /** The maps that the option `maps` names. */
  readonly maps: Readonly<Record<string, SharedMap>>
  /** Aborted when the drain begins: for streams and long answers. */
  readonly signal: AbortSignal
  /** Sockets that systemd opened, for `server.listen({ fd })`. */
  readonly sockets: readonly { readonly name: string; readonly fd: number }[]
  /**
   * Registers a function that runs in a drain, when the connections have ended or four fifths of the grace are over. The last
   * one registered runs first. Returns a function that takes the hook away.
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

/** The process that sent a message, or that an event is about. */
export interface Sender {
  /** Its slot. */
  readonly slot: number
  /** Which process of its slot it is, from 1. */
  readonly generation: number
  /** Its process id. */
  readonly pid: number
}

/** Messages between a process and the primary; those between processes go by {@link Topics}. */
export interface Messages {
  /** Sends to the primary. Resolves when the channel has taken it; need not be awaited. */
  send(message: unknown): Promise<void>
  /**
   * Sends to the primary, and gives its answer.
   * Rejects with `ERR_RSPOOL_REQUEST_TIMEOUT` (default 10000 ms), `ERR_RSPOOL_PROCESS_EXIT`, or what the other side threw:
   * its class (of the built-in ones), message, stack, properties and cause.
   */
  request(message: unknown, options?: { timeout?: number }): Promise<any>
  /**
   * Calls the listener with each message that the primary sends to this process.
   * @returns what takes the listener away
   */
  onMessage(listener: (message: any, sender: Partial<Sender>) => unknown): () => void
  /**
   * Sets the function that answers requests: its result, awaited, is the answer, and what it throws rejects the request. A
   * second call replaces the function.
   */
  onRequest(answer: (message: any, sender: Partial<Sender>) => unknown): void
}

/**
 * The state of a slot. `'booting'`: its process starts. `'ready'`: it serves. `'draining'`: it answers what it has begun, and
 * ends. `'stalled'`: its event loop did not turn for `stallTimeout`, and it is being killed. `'backing-off'`: the next process
 * starts after a wait. `'failed'`: no process is started until `restart()` or `reload()`. `'stopped'`: the slot is not in use.
 */
export type SlotState = 'booting' | 'ready' | 'draining' | 'stalled' | 'backing-off' | 'failed' | 'stopped'

/**
 * What is read of a slot: `'unresponsive'` is a process that is ready and whose event loop has not turned for a second.
 * Nothing follows from that, and the next turn ends it.
 */
export type ReadingState = SlotState | 'unresponsive'

/** An HTTP request that has begun and is not answered in full. */
export interface RequestReading {
  /** Its method, as `'GET'`. */
  readonly method: string
  /** Its URL, as far as the option `requestUrls` allows and as there is room for. */
  readonly url?: string
  /** How long ago it began, in milliseconds. */
  readonly ageMs: number
}

/** Why a process ended. */
export interface Cause {
  /**
   * `'exit'`, `'signal'`: it ended by itself, or was killed from outside. `'boot-error'`: `main` or the file threw.
   * `'ready-timeout'`: it was not ready in time. `'stalled'`: its event loop did not turn. `'out-of-memory'`: of the heap, or of
   * the control group. `'stop'`, `'reload'`, `'restart'`, `'scale'`: the call of that name. `'roll-back'`: a reload was given up.
   * `'memory'`, `'age'`, `'requests'`: `memoryLimit` or `recycle`. `'forced'`: a second signal to the primary.
   */
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
  /** The exit code; null if a signal ended it. */
  readonly code: number | null
  /** The signal that ended it, or null. */
  readonly signal: NodeJS.Signals | null
  /** A sentence for people. */
  readonly message: string
  /** The supervisor wanted it, or the process was told to end: no failure. */
  readonly planned: boolean
  /** Work was cut: it was killed, or its grace was over. */
  readonly forced: boolean
  /** The error that ended it, if it could still tell. */
  readonly error?: { name?: string; message: string; stack?: string; code?: string }
}

/** The options of {@link Supervisor.reload}: what is new for the processes, and how they are replaced. */
export interface ReloadOptions extends ProcessOptions {
  /** Another file from now on. */
  filename?: string | URL
  /** 'surge': slot by slot. 'all': all new processes are ready before the first old one goes. @default 'surge' */
  strategy?: 'surge' | 'all'
  /** The first new processes serve beside the old ones for a while, and may neither die nor answer with 5xx too often. */
  canary?:
    | boolean
    | {
        /** How many. @default 1 */
        slots?: number
        /** For how long. @default 1000 */
        watch?: number
        /** How many answers with 5xx are allowed. @default 0 */
        maxErrors?: number
      }
}

/** What a reload did. */
export interface ReloadReport {
  /** Slots that have a new process. */
  readonly replaced: number
  /** Old processes that had to be cut, since their grace was over. */
  readonly forced: number
  /** How long it took, in milliseconds. */
  readonly durationMs: number
}

/** The events of a {@link Supervisor}, with the arguments of their listeners. */
export interface SupervisorEvents {
  /**
   * The state of a slot has changed; `pid` is that of its process, if it has one. `delay`: with `to: 'backing-off'`, how long
   * until the next start, in milliseconds.
   */
  state: [info: { slot: number; pid: number | undefined; from: SlotState; to: SlotState; delay?: number }]
  /** A process has ended, and why. */
  exit: [info: Sender & { cause: Cause }]
  /** A process has sent a message with `context.send()`. */
  message: [message: any, sender: Sender]
  /**
   * The event loop of a process has not turned for `silentMs` milliseconds, and the process is being killed. `stack` is what its
   * JavaScript does, the innermost frame first; empty where it could not be read.
   */
  stalled: [info: Sender & { silentMs: number; stack: string }]
  /** A process is above `memoryLimit`, with `rss` bytes of its own, and is being replaced. */
  memory: [info: Sender & { rss: number }]
  /** A process is being replaced since it has reached a limit. */
  recycle: [info: Sender & { reason: 'memory' | 'age' | 'requests' }]
  /** What became of a spare process; with the slot that it was given, or the cause of its end. */
  spare: [
    info: { pid: number | undefined; to: 'booting' | 'ready' | 'assigned' | 'ended'; slot?: number; cause?: Cause }
  ]
  /** Connections that an ended process had not taken: given to others, kept for the next process, or closed as none was to come. */
  handoff: [info: Sender & { resent: number; kept: number; closed: number }]
  /** A slot has died `restarts` times within the window. `held`: it gets no further process until `restart()` or `reload()`. */
  crashloop: [info: { slot: number; restarts: number; held: boolean }]
  /** A reload has ended well. */
  reload: [report: ReloadReport]
  /** The last process has gone. `exitCode` is what the program would end with. */
  close: [exitCode: number]
}

/** What {@link run} gives in the primary: steers the processes, and reads them. */
export interface Supervisor extends EventEmitter<SupervisorEvents>, Topics {
  /** Resolves when every slot is ready, or has failed while others are; rejects with `ERR_RSPOOL_NO_BOOT`, `ERR_RSPOOL_CRASH_LOOP` or `ERR_RSPOOL_CLUSTER_STOPPED`. */
  readonly ready: Promise<void>
  /** Resolves with the exit code when the last process has gone. */
  readonly closed: Promise<number>
  /** How many slots there are. */
  readonly size: number
  /** The slots as they are now; `pid` is undefined where there is no process. */
  readonly processes: { slot: number; pid: number | undefined; generation: number; state: SlotState }[]
  /** The counters that the option `counters` names, over all processes. */
  readonly counters: ClusterCounters
  /** The gauges that the option `gauges` names, over all processes. */
  readonly gauges: ClusterGauges
  /** The histograms that the option `histograms` names, over all processes. */
  readonly histograms: ClusterHistograms
  /** The maps that the option `maps` names. */
  readonly maps: Readonly<Record<string, SharedMap>>
  /** The limits that the option `limits` names. */
  readonly limits: Readonly<Record<string, Limit>>
  /**
   * Replaces all processes, the new ones first. Calls made during a reload share the next reload. Rejects with
   * `ERR_RSPOOL_RELOAD` when a new process does not get ready: then the old ones go on.
   */
  reload(options?: ReloadOptions): Promise<ReloadReport>
  /**
   * Changes the number of processes; resolves when the new ones are ready, or the old ones gone. Rejects with
   * `ERR_RSPOOL_NOT_READY` when a new process does not get ready.
   */
  scale(processes: number): Promise<void>
  /**
   * Replaces the process of one slot, the new one first, or revives a slot that failed. Rejects with `ERR_RSPOOL_NOT_READY` when
   * the new process does not get ready.
   */
  restart(slot: number): Promise<void>
  /** Drains all processes. The program ends by itself if nothing else keeps it. */
  stop(): Promise<{ forced: number; durationMs: number }>
  /** What is known of the cluster and of each process. Reads shared memory and `/proc`: no process is asked. */
  status(): ClusterStatus
  /** Prometheus text. No process is asked. */
  metrics(): string
  /** Sends to the process of a slot. Resolves when the channel has taken the message. */
  send(slot: number, message: unknown): Promise<void>
  /** Sends to all processes, and gives how many took the message. */
  broadcast(message: unknown): Promise<number>
  /** Sends to the process of a slot, and gives the answer of its `onRequest`; rejects as {@link Messages.request} does. */
  request(slot: number, message: unknown, options?: { timeout?: number }): Promise<any>
  /** Sets the function that answers the requests of processes: its result, awaited, is the answer. */
  onRequest(answer: (message: any, sender: Sender) => unknown): void
}

/** What {@link Supervisor.status} gives. */
export interface ClusterStatus {
  /**
   * `'booting'`: no process is ready. `'ready'`: each slot is. `'scaling'`: some are ready, and others on their way. `'degraded'`: a
   * slot has failed or waits, the others serve. `'stopping'`: still serving, within `lameDuckDelay`. `'draining'`, `'stopped'`.
   */
  readonly state: 'booting' | 'ready' | 'scaling' | 'degraded' | 'stopping' | 'draining' | 'stopped'
  /** How many slots there are. */
  readonly size: number
  /** How many of them are ready. */
  readonly ready: number
  /** Each slot, with its process. */
  readonly processes: ProcessStatus[]
  /** Processes without a slot; 'ready' ones can take one. */
  readonly spares: SpareStatus[]
  /** The CPU budget that the pools share: how many tokens there are, and how many are free. */
  readonly budget: { readonly tokens: number; readonly free: number }
  /** The counters, over all processes. */
  readonly counters: Record<string, number>
}

/** The readings of a process, with a slot or without. A reading that the platform does not give is undefined. */
export interface ProcessReading {
  /** Its process id. */
  readonly pid?: number
  /** Since it was started, in milliseconds. */
  readonly uptimeMs?: number
  /** How long it took from its start until it was ready, in milliseconds. */
  readonly readyMs?: number
  /** Cores in use over the last second. */
  readonly cpu?: number
  /** CPU time so far, in milliseconds. */
  readonly cpuMs?: number
  /** Resident memory, in bytes, shared memory included. */
  readonly rss?: number
  /** Resident memory, in bytes, of which what is shared counts in proportion. Read every five seconds. */
  readonly pss?: number
  /** Its threads. */
  readonly threads?: number
  /** Open file descriptors, and how many it may have. */
  readonly fds?: number
  readonly fdLimit?: number
  /** The heap of V8 that is used, and its limit, in bytes. */
  readonly heapUsed?: number
  readonly heapLimit?: number
  /** Memory outside of the heap that belongs to objects of it, such as Buffers, in bytes. */
  readonly external?: number
  /** Milliseconds since the event loop last turned: the age of what the process tells of itself. */
  readonly beatAgeMs?: number
  /** How late the event loop is, in milliseconds; never less than it has been silent. */
  readonly loopDelayMs?: number
  /** How busy the event loop is, from 0 to 1. */
  readonly utilization?: number
  /** HTTP requests begun, and answers with 5xx. */
  readonly requests?: number
  readonly errors?: number
  /** Open connections of its servers. */
  readonly connections?: number
  /** Requests that have begun and are not answered in full. */
  readonly inFlight?: number
  /** The one of them that began first. */
  readonly oldestRequest?: RequestReading
  /** The last one that has begun, if it is in flight: a loop that hangs usually does so in it. */
  readonly lastRequest?: RequestReading
  /** Tasks that wait in its pools, and that run. */
  readonly pool?: { readonly queued: number; readonly running: number }
}

/** A slot, and what is known of its process. */
export interface ProcessStatus extends ProcessReading {
  /** The slot, from 0. */
  readonly slot: number
  /** Its state. */
  readonly state: ReadingState
  /** Which process of its slot this is, from 1. */
  readonly generation: number
  /** How often its processes died. */
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

/** A spare process, and what is known of it. */
export interface SpareStatus extends ProcessReading {
  /** Its state; a `'ready'` one can take a slot. */
  readonly state: 'booting' | 'ready' | 'unresponsive' | 'draining' | 'exited'
}

/**
 * 64-bit counters over a region: each slot adds to a row of its own, a reading is the sum. What a
 * killed process had added stays. Methods throw `ERR_RSPOOL_INVALID_ARGUMENT` for unknown names.
 */
export class ClusterCounters {
  /** The counters in another thread of the same process. */
  static from(shared: ReturnType<ClusterCounters['share']>): ClusterCounters
  /** The names of the counters. */
  readonly names: string[]
  /** Adds, and gives the new total, to which others may be adding. @param n 1 by default */
  add(name: string, n?: number | bigint): number
  /** Subtracts, and gives the new total. @param n 1 by default */
  sub(name: string, n?: number | bigint): number
  /** The total, rounded beyond 2⁵³. */
  get(name: string): number
  /** The total, exact. */
  getBigInt(name: string): bigint
  /** Makes the total `value`; what others add meanwhile is kept. */
  set(name: string, value: number | bigint): number | bigint
  /** Makes the total 0, and gives what was there. */
  reset(name: string): number
  /** Makes all totals 0, and gives what was there. */
  reset(): Record<string, number>
  /** All totals. */
  snapshot(): Record<string, number>
  /** Plain data for `workerData`; good in threads of this process only. */
  share(): { fd: number; names: object; row: number }
  /** As `snapshot()`. */
  toJSON(): Record<string, number>
}

/** Each process sets its own share; a reading is the sum. The share of a process that has ended is 0. */
export interface ClusterGauges {
  /** The names of the gauges. */
  readonly names: string[]
  /** Sets the share of this process. */
  set(name: string, value: number): void
  /** Adds to the share of this process, and gives the new share. @param value 1 by default */
  add(name: string, value?: number): number
  /** The sum of all shares. */
  get(name: string): number
  /** All sums. */
  snapshot(): Record<string, number>
}

/** A histogram at one moment, over all processes. */
export interface HistogramReading {
  /** The upper bounds of the buckets, rising. */
  readonly bounds: number[]
  /** How many values were in each bucket; the last is above all bounds. */
  readonly buckets: number[]
  /** The sum of all values. */
  readonly sum: number
  /** How many values there were. */
  readonly count: number
}

/** Histograms that all processes count into. */
export interface ClusterHistograms {
  /** The names of the histograms. */
  readonly names: string[]
  /** Counts a value. */
  observe(name: string, value: number): void
  /** One histogram. */
  get(name: string): HistogramReading
  /** All histograms. */
  snapshot(): Record<string, HistogramReading>
}
