/** Locks, leaders and limits that the processes of one cluster share, on one machine. */

/** What a function learns that runs under a lock, or as a leader. */
export interface Held {
  /**
   * A fencing token, from 1: each holder of one name has a higher one than those before. A store that remembers the
   * highest it has seen can refuse what comes late from an earlier holder. It counts for the life of the cluster.
   */
  readonly token: number
  /**
   * Aborted when this process begins to drain. Of a lock also when the caller's `signal` aborts, of a leader also when it
   * resigns. The lock is kept until the function has ended.
   */
  readonly signal: AbortSignal
}

/** The options of {@link Coordination.lock}. */
export interface LockOptions {
  /**
   * How long to wait for the lock, in milliseconds; 0 takes it at once or not at all. How long it may be held is not
   * limited. @default Infinity
   */
  timeout?: number
  /** Ends the wait; once the function runs, it aborts its `signal`. */
  signal?: AbortSignal
}

/** Of {@link ClusterContext}: what exactly one process does at a time, or at all. */
export interface Coordination {
  /**
   * Runs a function while nobody else in the cluster holds the name, and gives what it gives. Those who wait get it in the
   * order of their calls, over all processes. There is no lease: the lock is free when the promise of the function has
   * settled, or when its process has ended, which the system tells within milliseconds. A process that is paused or
   * hangs keeps it. It is not re-entrant: a function that asks for its own name waits for itself.
   *
   * A drain aborts `signal` and waits, within its grace, for the functions that run.
   *
   * Rejects with `ERR_RSPOOL_LOCK_TIMEOUT` after `timeout`, with an `AbortError` (`ABORT_ERR`) when `signal` aborts before
   * the lock is held, with `ERR_RSPOOL_LOCKS_FULL` when the processes want more than 4096 different names at a time (each
   * process counts for itself), with `ERR_RSPOOL_INVALID_ARGUMENT`, and with what the function throws.
   *
   * @param name of 1 to 250 bytes
   * @param run called with the token and a signal once the lock is held
   */
  lock<T>(name: string, run: (held: Held) => T | PromiseLike<T>, options?: LockOptions): Promise<T>
  /**
   * Makes this process a candidate for a function that runs in exactly one process of the cluster. The others wait, and
   * one follows when the leader begins to drain or dies, in the order in which they became candidates.
   *
   * At the begin of a drain `signal` aborts. The next leader begins when the promise that the function gave has
   * settled, at the latest when this process has ended at the end of its grace. A function that gives none, or whose
   * promise has settled before, leads until then, too. An error that it throws is uncaught, and ends the process unless
   * something handles that; then this process is a candidate again after a second. After the abort an `AbortError` is no
   * error. A spare process is a candidate once it has a slot.
   *
   * Throws `ERR_RSPOOL_INVALID_ARGUMENT`.
   *
   * @param name of 1 to 250 bytes; names of locks are others
   * @returns ends the candidacy; its promise resolves when the function has ended, and the next one may begin
   */
  leader(name: string, run: (held: Held) => unknown): () => Promise<void>
  /**
   * True for the first call with this key in the whole cluster, false for all others, until `ttl` is over. What a process
   * was told it has been told: if it dies then, no other is. A key takes room until its time is over (`onceKeys`).
   *
   * Throws `ERR_RSPOOL_MAP_FULL` when there is no room for a further key, `ERR_RSPOOL_MAP_BUSY` when a process that was
   * stopped (SIGSTOP) holds up new keys for more than 100 ms, and `ERR_RSPOOL_INVALID_ARGUMENT`.
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
  /** So many points are earned in each period. An integer from 1 to 10⁹. */
  points: number
  /** The period, in milliseconds. */
  per: number
  /** So many points may be taken at once after a quiet time. @default points */
  burst?: number
}

/** What became of a wish for points. */
export interface Taken {
  /** Whether the points were taken. */
  readonly ok: boolean
  /** How many more could be taken now. */
  readonly remaining: number
  /** In milliseconds, rounded up: when so many could be taken, if nobody else does; 0 if they were. */
  readonly retryAfterMs: number
}

/**
 * A limit over all processes of the cluster (GCRA): for each key `points` are earned in each period, evenly, and `burst` can
 * be saved. It costs a fraction of a microsecond, and nobody is asked.
 */
export interface Limit extends Readonly<Required<LimitOptions>> {
  /**
   * Takes points of a key, all or none. Of more keys than there is room for (`limitKeys`) the quietest are forgotten.
   *
   * Throws `ERR_RSPOOL_INVALID_ARGUMENT`, and `ERR_RSPOOL_MAP_BUSY` when a process that was stopped (SIGSTOP) holds up new
   * keys for more than 100 ms.
   *
   * @param key of 1 to 250 bytes
   * @param n points, from 0 (which tells how many there are) to `burst`; 1 by default
   */
  take(key: string, n?: number): Taken
}
