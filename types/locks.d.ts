/** Locks, leaders and limits that the processes of one cluster share, on one machine. */

/** The argument of a function that runs under a lock, or as a leader. */
export interface Held {
  /**
   * A fencing token, from 1: each holder of a name has a higher token than the holders before. A store that remembers
   * the highest token it has seen can refuse late writes of an earlier holder. The count lasts as long as the cluster.
   */
  readonly token: number
  /**
   * Aborted when this process begins to drain; for a lock also when the caller's `signal` aborts, and for a leader also
   * when it resigns. The lock is kept until the function has ended.
   */
  readonly signal: AbortSignal
}

/** The options of {@link Coordination.lock}. */
export interface LockOptions {
  /**
   * How long to wait for the lock, in milliseconds; 0 takes it at once or not at all. The time that it is held is not
   * limited. @default Infinity
   */
  timeout?: number
  /** Ends the wait when it aborts. Once the function runs, it aborts the function's `signal` instead. */
  signal?: AbortSignal
}

/** The part of {@link ClusterContext} for work that exactly one process does at a time, or at all. */
export interface Coordination {
  /**
   * Runs a function while no other caller in the cluster holds the name, and gives its result. Waiting callers get the
   * lock in the order of their calls, over all processes. There is no lease: the lock is free when the promise of the
   * function has settled, or when its process has ended, which the system reports within milliseconds. A process that is
   * paused or hangs keeps the lock. The lock is not re-entrant: a function that asks for its own name waits for itself.
   *
   * A drain aborts `signal` and waits, within its grace, for the running functions.
   *
   * Rejects with `ERR_RSPOOL_LOCK_TIMEOUT` after `timeout`, with an `AbortError` (`ABORT_ERR`) when `signal` aborts before
   * the lock is held, with `ERR_RSPOOL_LOCKS_FULL` when the processes want more than 4096 different names at a time (each
   * process counts for itself), with `ERR_RSPOOL_INVALID_ARGUMENT`, and with the error that the function throws.
   *
   * @param name of 1 to 250 bytes
   * @param run called with the token and a signal once the lock is held
   */
  lock<T>(name: string, run: (held: Held) => T | PromiseLike<T>, options?: LockOptions): Promise<T>
  /**
   * Makes this process a candidate for a function that runs in exactly one process of the cluster. The other candidates
   * wait. When the leader begins to drain or dies, the next one follows, in the order in which they became candidates.
   *
   * When a drain begins, `signal` aborts. The next leader begins when the promise of the function has settled, at the
   * latest when this process has ended at the end of its grace. A function that returns no promise, or whose promise has
   * settled before, leads until the drain, too. An error that the function throws is uncaught, and ends the process
   * unless a handler catches it; then this process is a candidate again after a second. After the abort an `AbortError`
   * is no error. A spare process is a candidate once it has a slot.
   *
   * Throws `ERR_RSPOOL_INVALID_ARGUMENT`.
   *
   * @param name of 1 to 250 bytes; locks and leaders do not share names
   * @returns ends the candidacy; its promise resolves when the function has ended, and the next one may begin
   */
  leader(name: string, run: (held: Held) => unknown): () => Promise<void>
  /**
   * True for the first call with this key in the whole cluster, false for all others, until `ttl` is over. If the process
   * that got true dies, no other process gets true in its place. A key takes room until its time is over (`onceKeys`).
   *
   * Throws `ERR_RSPOOL_MAP_FULL` if there is no room for a further key, `ERR_RSPOOL_MAP_BUSY` if a stopped process
   * (SIGSTOP) holds up new keys for more than 100 ms, and `ERR_RSPOOL_INVALID_ARGUMENT`.
   *
   * @param key of 1 to 250 bytes
   * @param options `ttl`: after so many milliseconds the key is forgotten; Infinity by default
   */
  once(key: string, options?: { ttl?: number }): boolean
  /** The limits that the option `limits` names. */
  readonly limits: Readonly<Record<string, Limit>>
}

/** How often something may happen. */
export interface LimitOptions {
  /** How many points are earned per period. An integer from 1 to 10⁹. */
  points: number
  /** The period, in milliseconds. */
  per: number
  /** How many points may be taken at once after a quiet time. @default points */
  burst?: number
}

/** The outcome of {@link Limit.take}. */
export interface Taken {
  /** Whether the points were taken. */
  readonly ok: boolean
  /** How many more points could be taken now. */
  readonly remaining: number
  /** Milliseconds, rounded up, until as many points can be taken if nobody else takes any; 0 if they were taken. */
  readonly retryAfterMs: number
}

/**
 * A limit over all processes of the cluster (GCRA): for each key `points` are earned per period, evenly, and at most `burst`
 * are saved. A call takes a fraction of a microsecond, and asks no other process.
 */
export interface Limit extends Readonly<Required<LimitOptions>> {
  /**
   * Takes points of a key, all or none. If there are more keys than there is room for (`limitKeys`), the quietest keys
   * are forgotten.
   *
   * Throws `ERR_RSPOOL_INVALID_ARGUMENT`, and `ERR_RSPOOL_MAP_BUSY` if a stopped process (SIGSTOP) holds up new keys for
   * more than 100 ms.
   *
   * @param key of 1 to 250 bytes
   * @param n points, from 0 (which tells how many there are) to `burst`; 1 by default
   */
  take(key: string, n?: number): Taken
}
