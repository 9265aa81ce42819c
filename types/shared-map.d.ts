/** A map in memory that the threads and processes of one machine share. Linux and macOS. */

/** Plain data as tasks take it: objects and arrays, also Map, Set, Date, RegExp and bytes within. */
export type SharedMapValue = string | number | boolean | null | bigint | ArrayBuffer | ArrayBufferView | object

/** The options of a {@link SharedMap}. */
export interface SharedMapOptions {
  /**
   * The memory for all entries together: bytes, or a string such as `'64MB'` ('KB', 'MB', 'GB'; 'MB' is 2²⁰ bytes). From 16 KiB
   * to 64 GiB. The memory is taken at once, and counts for the container that the program runs in. An entry takes whole blocks
   * of 128 bytes, and 32 more bytes per block: 88 bytes of key and value fit into the first block, 112 into each further one.
   */
  bytes: number | string
  /** How long an entry lasts unless its own `ttl` says otherwise, in milliseconds. @default Infinity */
  ttl?: number
  /**
   * Whether entries that were not read for long make room for others. If not, a value that does not fit is refused with
   * `ERR_RSPOOL_MAP_FULL`. @default true
   */
  evict?: boolean
  /** Bytes that a value may have, at most a quarter of `bytes`. @default a sixteenth of `bytes`, at most 16 MiB */
  maxValueBytes?: number
}

/** The options of the methods that put a value. */
export interface PutOptions {
  /** How long the entry lasts, in milliseconds; Infinity for ever. @default that of the map */
  ttl?: number | undefined
}

/** The result of {@link SharedMap.stats}. */
export interface SharedMapStatistics {
  /** The option `bytes`. */
  readonly bytes: number
  /** Bytes that the entries take now. */
  readonly usedBytes: number
  /** Entries, including those whose time is over and that were not removed yet. */
  readonly entries: number
  /** Entries that made room for others, since the map was made. */
  readonly evicted: number
  /** Entries that were removed because their time was over. */
  readonly expired: number
  /** How often a new key took over the lock of a process that had died while it put a key. */
  readonly locksTakenOver: number
  /** Blocks that were put in order after processes had died. */
  readonly blocksRecovered: number
}

/**
 * The result of `share()`: plain data for a message, `workerData` or a task's input. Valid in threads of this process
 * only. A native task takes a map as its input, or as a member of it, either as this or as the `SharedMap` itself, and
 * uses it where it is. The map lasts at least as long as the task.
 */
export interface SharedMapHandle {
  /** The mark that distinguishes this object from other data. */
  readonly type: 'rspool.map'
  /** The number of the map in this process. */
  readonly map: number
}

/**
 * A map of bounded size in shared memory. The effect of a call is complete when it returns, for all threads and processes.
 * Reading, replacing, counting and deleting never wait. The first writer of a new key waits for other writers that put new
 * keys into the same few places. A process that dies at any moment leaves either the old value or the new one.
 *
 * Keys are strings of at most 250 bytes in UTF-8. Values are copied: strings, numbers, booleans, null, bigints, bytes, and
 * plain data. Bytes come back in memory of their own, with the type that they had (a Buffer as a Uint8Array). Plain data
 * comes back frozen, and a thread gets the same object for as long as the entry is the same. Data that contains something
 * that cannot be frozen (Map, Set, Date, bytes …) is a new copy each time.
 *
 * Every method with a key throws a TypeError with the code `ERR_RSPOOL_INVALID_ARGUMENT` for an invalid key. Methods that put
 * a value throw it for an invalid value, too, and for a value of more than `maxValueBytes`. They also throw
 * `ERR_RSPOOL_MAP_FULL` if there is no room (only with `evict: false`, or for a value that needs nearly all of the map), and
 * `ERR_RSPOOL_MAP_BUSY` if a new key would have to wait for more than 100 ms for another process that was stopped, or has lost
 * its CPU, while it put a key. Nothing is changed then.
 *
 * @typeParam V the type of the values, which is not checked at run time
 */
export class SharedMap<V extends SharedMapValue = any> {
  /**
   * A map for the threads of this process. For the processes of a cluster, use the option `maps`.
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` for wrong options
   * @throws `ERR_RSPOOL_REGION` when the system has no memory for it
   * @throws `ERR_RSPOOL_UNSUPPORTED` on Windows
   */
  constructor(options: SharedMapOptions)

  /**
   * The map that another thread of this process has shared with `share()`.
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` if it is not what `share()` gave in this process
   */
  static from<V extends SharedMapValue = any>(shared: SharedMapHandle): SharedMap<V>

  /** The value of a key; undefined if there is none, or its time is over. */
  get(key: string): V | undefined
  /** Whether there is a value whose time is not over. */
  has(key: string): boolean
  /** Puts a value, whether the key has one or not. Gives true. */
  set(key: string, value: V, options?: PutOptions): boolean
  /** Puts a value if the key has none. @returns whether it did */
  add(key: string, value: V, options?: PutOptions): boolean
  /**
   * Adds to a number. A whole number is kept exactly up to 64 bits. If the key has no value, the number begins at `initial`
   * and lasts for `ttl`; an existing entry keeps its end.
   * @param n @default 1
   * @param options.initial @default 0
   * @returns the sum, rounded beyond 2⁵³; exact if `n` is a bigint. `get` gives a whole number beyond 2⁵³ as a bigint.
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` if the value is no number, or the sum would have more than 64 bits
   */
  increment(key: string, n?: number, options?: { initial?: number; ttl?: number }): number
  increment(key: string, n: bigint, options?: { initial?: number | bigint; ttl?: number }): bigint
  /**
   * Puts a value if the current value is `expected`. The encoded bytes are compared, so plain data must have its keys in
   * the same order. `undefined` expects that the key has no value.
   * @returns whether it did
   */
  compareAndSet(key: string, expected: V | undefined, value: V, options?: PutOptions): boolean
  /**
   * Replaces the value by the result of `change`. If another thread or process changes the value meanwhile, `change` runs
   * again. An existing entry keeps its end unless `ttl` says otherwise.
   * @param change gets undefined if there is no value. If it returns undefined, the value stays as it is; an error that
   *   it throws is thrown
   * @returns the value of the key now
   * @throws `ERR_RSPOOL_MAP_RECURSION` when it is called for a key by the function that changes this very key;
   *   `ERR_RSPOOL_MAP_BUSY` if the value changed each of 1000 times while `change` ran, be it by `change` itself
   */
  update(key: string, change: (value: V | undefined) => V | undefined, options?: PutOptions): V | undefined
  /** @returns whether there was an entry */
  delete(key: string): boolean
  /** Milliseconds that the entry has left, or Infinity if it lasts for ever; undefined if there is none. */
  ttl(key: string): number | undefined
  /**
   * Has the entry end in so many milliseconds, or never.
   * @returns whether there was an entry
   */
  expire(key: string, ttl: number): boolean
  /** Deletes all entries. The time that this takes depends on the size of the map. */
  clear(): void
  /** The keys, in no order. Keys that are put or deleted meanwhile may be among them or not. */
  keys(options?: { prefix?: string }): IterableIterator<string>
  /** Reads the statistics from the whole map, which takes a few milliseconds for 100 MB. */
  stats(): SharedMapStatistics
  /** A number that is different after every change of the entry; 0 if there is no entry. It does not always rise. */
  version(key: string): number
  /**
   * Resolves with the value once its version differs from `version`, at once if it differs already. Resolves with
   * undefined when the entry was deleted, or within a quarter of a second after its time is over.
   * @param options.version @default the current version
   * @param options.timeout in milliseconds; rejects with `ERR_RSPOOL_WAIT_TIMEOUT`. @default Infinity
   * @param options.signal rejects with an AbortError
   */
  wait(key: string, options?: { version?: number; signal?: AbortSignal; timeout?: number }): Promise<V | undefined>
  /**
   * The value of a key. If there is none, one thread of all processes computes it, and the others wait for the result. If
   * the computing thread dies meanwhile, another thread computes at once. An error that `compute` throws goes to its own
   * caller alone, and the next caller computes.
   * @param compute gives the value or a promise of it. Undefined is given to the caller, and not kept
   * @param options.ttl how long the value lasts, in milliseconds
   * @param options.stale how many milliseconds after its `ttl` `getOrCompute` still gives the old value at once, while one
   *   thread computes a new one. For all other methods the entry ends with its `ttl`. @default 0
   * @throws `ERR_RSPOOL_MAP_RECURSION` (it rejects) if the function that computes a key asks for the same key, itself or by
   *   way of other keys, and so would wait for itself
   */
  getOrCompute<T extends V>(
    key: string,
    compute: (key: string) => T | undefined | PromiseLike<T | undefined>,
    options?: { ttl?: number; stale?: number }
  ): Promise<T>
  /**
   * Plain data for `SharedMap.from()` in another thread of this process. From then on the map lasts as long as the
   * process. A native task takes it as it takes the map itself.
   */
  share(): SharedMapHandle
}
