// The options of `cluster.run`.

import type { IncomingHttpHeaders } from 'node:http'
import type { LimitOptions } from '../locks.js'
import type { SharedMapOptions } from '../shared-map.js'

/** The options of the processes. Times are in milliseconds. */
export interface ProcessOptions {
  /** Added to the environment of each process; a function gets the slot. */
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
   * How many processes there are. 'auto' is as many as CPU affinity and cgroup quota allow. 0 runs `main` in this
   * process, with the same context and supervisor. @default 'auto'
   */
  processes?: 'auto' | number
  /**
   * The most processes that `scale()` allows; the region has room for so many. @default the larger of 64 and
   * `processes`
   */
  maxProcesses?: number
  /**
   * How many spare processes are kept. A spare process is booted as far as possible without listening, and takes a slot
   * at once when the slot needs a process. At most 64; none with `processes: 0`. @default 0
   */
  spare?: number
  /**
   * 'rr': the primary accepts connections, and hands them to the processes in turn. 'none': the processes accept
   * connections. @default 'rr'
   */
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
   * `metricsPort` say that they will end, so that a load balancer can notice. `grace` begins after that.
   * @default 0
   */
  lameDuckDelay?: number
  /**
   * How long an idle connection is kept in a drain, or the `keepAliveTimeout` of its server if that is less.
   * @default 5000
   */
  drainIdle?: number
  /** How long a process outlives a primary that was killed. @default 1500 */
  orphanGrace?: number
  /** How long a process may take until it is ready. Then it is killed, and counts as failed. @default 30000 */
  readyTimeout?: number
  /** If so many processes fail before any process was ever ready, the primary ends with code 3. @default 3 */
  bootAttempts?: number
  /** The wait before a restart: none for the first, then `initial · factorⁿ` up to `max`, ± `jitter` of itself. */
  backoff?: {
    /** The wait before the second restart. @default 100 */
    initial?: number
    /** The longest wait. @default 15000 */
    max?: number
    /** The factor from each wait to the next. @default 2 */
    factor?: number
    /** How much a wait varies at random: a share from 0 to 1. @default 0.2 */
    jitter?: number
    /** A process that has been up for so long counts as healthy: the failures before it are forgotten. @default 10000 */
    stableAfter?: number
  }
  /** More deaths than `restarts` within `window` are a crash loop. */
  crashLoop?: {
    /** Deaths that are allowed within `window`. @default 5 per process */
    restarts?: number
    /** The length of the window. @default 60000 */
    window?: number
    /**
     * What happens if no process is ready: 'exit' ends the primary with code 70, 'hold' leaves the slot empty.
     * @default 'exit'
     */
    action?: 'exit' | 'hold'
  }
  /**
   * After so long without a turn of its event loop, a process is stalled: it is reported with its stack, killed and
   * replaced. Infinity: never. @default 30000
   */
  stallTimeout?: number
  /** Keep a helper thread in each process (about 8 MB), which can read the stack of a stalled loop. @default true */
  stallStack?: boolean
  /**
   * Bytes of resident memory, not counting shared memory, or a share of the control group's limit such as '25%'. A
   * process above it is replaced. @default no limit
   */
  memoryLimit?: number | `${number}%`
  /** Replace processes now and then, one at a time. */
  recycle?: {
    /** After so many HTTP requests. @default Infinity */
    requests?: number
    /** After so long. @default Infinity */
    age?: number
    /** The limits vary from process to process by this share. @default 0.1 */
    jitter?: number
  }
  /** Let the pools of all processes share one CPU budget. @default true */
  budget?: boolean
  /** Handle SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR2, SIGTTIN and SIGTTOU in the primary. @default true */
  signals?: boolean
  /** End the primary after a signal, a crash loop, or when nothing boots. @default true */
  exit?: boolean
  /**
   * The port that serves `metrics()` at `/metrics`. `/ready` says whether a request would be answered now, and `/live`
   * whether there is hope that one will be. @default none
   */
  metricsPort?: number
  /** The address that `metricsPort` listens on. @default '127.0.0.1' */
  metricsHost?: string
  /**
   * Opens a Unix socket through which `npx rspool reload`, `scale`, `restart` and `stop` talk to the primary; without it
   * they use signals. Only the primary's user may open it (mode 0600), and the peer is checked. A string is the path of
   * the socket; true puts it into `$RUNTIME_DIRECTORY`, `$XDG_RUNTIME_DIR/rspool`, or a folder of the user for temporary
   * files. If it cannot be opened, the log says so. @default false
   */
  admin?: boolean | string
  /**
   * The part of the URLs of requests in flight that `status()`, the log and the shared region show. 'path' is the URL
   * without its query. Long URLs are cut. @default 'path'
   */
  requestUrls?: 'path' | 'full' | false
  /**
   * Has each request and each upgrade answered by the process that its session belongs to. The option says where a request has
   * the id of the session, which `context.sticky(io)` or `context.sessionId()` has made. 'socket.io' is `{ query: 'sid' }`. A
   * function gets the head of a request, and gives the id or a text that contains it; it needs `cluster.run(function)`. The
   * sessions of a server that was given to `context.sticky(io)` are found by their own ids in any case. A request without
   * a session, or of a session whose process has gone, is answered by the process that it came to. @default no sessions
   */
  sticky?:
    | 'socket.io'
    | { query: string }
    | { cookie: string }
    | ((head: { method: string; url: string; headers: IncomingHttpHeaders }) => string | undefined)
  /**
   * Bytes of the ring for published messages, rounded up to a power of two: 4096 to 134217728, or 0 for none. A message may
   * have a quarter of the ring. A process that falls behind by more than the ring misses messages, and is told how many.
   * @default 4194304
   */
  publishBytes?: number
  /** Maps that all processes share, by name. They last as long as the primary. @default {} */
  maps?: Record<string, SharedMapOptions>
  /** Limits that all processes share, by name. @default {} */
  limits?: Record<string, LimitOptions>
  /**
   * How many keys all limits together have room for, at 40 bytes each. The quietest keys make room for others.
   * @default 65536
   */
  limitKeys?: number
  /** How many keys `once` has room for, at 40 bytes each. @default 16384 */
  onceKeys?: number
  /**
   * Bytes of messages that may wait for one process, or in one process for the primary. A single message may be larger.
   * @default 67108864
   */
  maxQueuedBytes?: number
  /**
   * Where the standard output and error of the processes go. 'inherit': to those of the primary, unchanged. 'prefix': line
   * by line, as `<slot>.<generation> <pid> | …`. 'json': line by line, as `{ time, slot, generation, pid, stream, line }`.
   * No effect if `processes` is 0. @default 'inherit'
   */
  output?: 'inherit' | 'prefix' | 'json'
  /**
   * Called with each line that would go to standard error; false drops the lines. An error that the function throws is
   * ignored.
   */
  log?: false | ((line: string) => void)
}
