/** Counters on shared memory. */

/** The result of `share()`: plain data for a message, `workerData`, a task's input or its `counters`. */
export interface SharedCounters {
  /** The mark that distinguishes this object from other data. */
  readonly type: 'rspool.counters'
  /** The names of the counters, in the order of their memory. */
  readonly names: readonly string[]
  /** The memory of the counters, which is shared and not copied. */
  readonly buffer: SharedArrayBuffer
}

/**
 * Named 64-bit counters in shared memory, for the threads of a process (and, in the cluster
 * helper, for its processes). Each has a cache line of its own. An operation is one `Atomics`
 * operation on a view, with no native call, lock or message.
 *
 * Values are integers of 64 bits, and wrap around. A number that you pass must be a safe integer, and a BigInt must fit
 * into 64 bits. A number that you get is rounded beyond 2⁵³; `getBigInt` is always exact.
 *
 * Every method throws a TypeError with code `ERR_RSPOOL_INVALID_ARGUMENT` for an unknown counter
 * or a value that is no such integer. It changes nothing then.
 *
 * @typeParam N the names
 */
export class AtomicCounters<N extends string = string> {
  /**
   * @param names at least one string, none empty, none twice
   * @param options.buffer the memory to count in, with the values in it: 64 bytes per name; bytes beyond are left
   *   alone. By default new memory, all zero.
   */
  constructor(names: readonly N[], options?: { buffer?: SharedArrayBuffer | undefined })

  /**
   * Counters on the memory that `share()` gave, usually in another thread.
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` if it is not what `share()` gave
   */
  static from<N extends string = string>(shared: SharedCounters | AtomicCounters<N>): AtomicCounters<N>

  /** The names, in the order of the memory. Frozen. */
  readonly names: readonly N[]
  /** The memory: counter i is the signed 64-bit integer at byte 64 · i. */
  readonly buffer: ArrayBufferLike

  /** Adds `n` and gives the new value. @default n = 1 */
  add(name: N, n?: number | bigint): number
  /** Subtracts `n` and gives the new value. @default n = 1 */
  sub(name: N, n?: number | bigint): number
  /** The value, rounded beyond 2⁵³. */
  get(name: N): number
  /** The value, exact. */
  getBigInt(name: N): bigint
  /** Sets the value and gives it. */
  set(name: N, n: number | bigint): number
  /** Raises the value to `n` if it is less, and gives the new value. */
  max(name: N, n: number | bigint): number
  /** Lowers the value to `n` if it is more, and gives the new value. */
  min(name: N, n: number | bigint): number
  /** Sets the value to `replacement` if it is `expected`, and gives the value before. */
  compareExchange(name: N, expected: number | bigint, replacement: number | bigint): number
  /** Sets the value to 0 and gives the value before. */
  reset(name: N): number
  /** Sets every value to 0, one after another, and gives the values before. */
  reset(): { [name in N]: number }
  /** All values, read one after another. */
  snapshot(): { [name in N]: number }
  /**
   * Plain data that can be cloned, for `AtomicCounters.from` in another thread.
   * @throws `ERR_RSPOOL_NOT_SHAREABLE` for counters of the cluster helper, which its processes
   *   share already
   */
  share(): SharedCounters
}
