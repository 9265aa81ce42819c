/** A map in memory that threads and processes of one machine share. Linux and macOS. */

/** Plain data as tasks take it: objects and arrays, also Map, Set, Date, RegExp and bytes within. */
export type SharedMapValue = string | number | boolean | null | bigint | ArrayBuffer | ArrayBufferView | object

/** The options of a {@link SharedMap}. */
export interface SharedMapOptions {
  /**
   * What the entries may take together: bytes, or a text as `'64MB'` ('KB', 'MB', 'GB'; 'MB' is 2²⁰ bytes). From 16 KiB to
   * 64 GiB. The memory is taken at once, and counts for the container that the program runs in. An entry takes whole blocks
   * of 128 bytes, and 32 bytes for each beside that: 88 bytes of key and value fit into the first block, 112 into each further one.
   */
  bytes: number | string
  /** How long entries last unless said otherwise, in milliseconds. @default Infinity */
  ttl?: number
  /**
   * Whether entries that were not read for long make room for others. If not, what does not fit is refused with
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

/** What {@link SharedMap.stats} gives. */
export interface SharedMapStatistics {
  /** The option `bytes`. */
  readonly bytes: number
  /** What the entries take now. */
  readonly usedBytes: number
  /** Those whose time is over and which were not taken away yet count, too. */
  readonly entries: number
  /** Entries that made room for others, since the map was made. */
  readonly evicted: number
  /** Entries that were taken away as their time was over. */
  readonly expired: number
  /** How often a new key came behind a process that had died while it put one. */
  readonly locksTakenOver: number
  /** Blocks that were put in order after processes had died. */
  readonly blocksRecovered: number
}

/** What `share()` gives: plain data for a message, `workerData` or a task's input. Good in threads of this process only. */
export interface SharedMapHandle {
  /** What tells this object from other data. */
  readonly type: 'rspool.map'
  /** The number of the map in this process. */
  readonly map: number
}

/**
 * A map of bounded size in shared memory. Every call is complete when it returns, for all threads and processes. Reading
 * waits for nobody. Replacing, counting and deleting wait for nobody, either; the first writer of a new key waits for others
 * that put new keys to the same few places. A process that dies at any moment leaves the old value or the
 * new one.
 *
 * Keys are strings of at most 250 bytes in UTF-8. Values are copied: strings, numbers, booleans, null, bigints, bytes, and
 * plain data. Bytes come back in memory of their own, of the type that they had (a Buffer as a Uint8Array). Plain data comes
 * back frozen, and is the same object for as long as the entry is the same in this thread; data with something in it that
 * cannot be frozen (Map, Set, Date, bytes …) is another copy each time.
 *
 * Every method with a key throws a TypeError with the code `ERR_RSPOOL_INVALID_ARGUMENT` for what can be no key. Those that
 * put a value do so for what can be no value, and for one that has more than `maxValueBytes`, and besides:
 * `ERR_RSPOOL_MAP_FULL` when there is no room (only with `evict: false`, or for a value that needs nearly all of the map), and
 * `ERR_RSPOOL_MAP_BUSY` when a new key would have to wait for more than 100 ms for another process, which was stopped or has
 * lost its CPU while it put one. Then nothing is changed.
 *
 * @typeParam V what the values are; nothing checks that at run time
 */
export class SharedMap<V extends SharedMapValue = any> {
  /**
   * A map for the threads of this process. The maps of a cluster's processes are those of the option `maps`.
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` for wrong options
   * @throws `ERR_RSPOOL_REGION` when the system has no memory for it
   * @throws `ERR_RSPOOL_UNSUPPORTED` on Windows
   */
  constructor(options: SharedMapOptions)

  /**
   * The map that another thread of this process has shared.
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` if it is not what `share()` gave in this process
   */
  static from<V extends SharedMapValue = any>(shared: SharedMapHandle): SharedMap<V>

  /** The value of a key; undefined if there is none, or its time is over. */
  get(key: string): V | undefined
  /** Whether there is a value whose time is not over. */
  has(key: string): boolean
  /** Puts a value, whatever was there. Gives true. */
  set(key: string, value: V, options?: PutOptions): boolean
  /** Puts a value where there is none. @returns whether it did */
  add(key: string, value: V, options?: PutOptions): boolean
  /**
   * Adds to a number, which is kept exactly up to 64 bits if it is a whole one. Where there is none it begins at `initial` and
   * lasts for `ttl`; what is there ends when it was to end.
   * @param n @default 1
   * @param options.initial @default 0
   * @returns the sum, rounded beyond 2⁵³; exact if `n` is a bigint. `get` gives a whole number beyond 2⁵³ as a bigint.
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` if the value is no number, or the sum would have more than 64 bits
   */
  increment(key: string, n?: number, options?: { initial?: number; ttl?: number }): number
  increment(key: string, n: bigint, options?: { initial?: number | bigint; ttl?: number }): bigint
  /**
   * Puts a value if what is there is `expected`, byte by byte in the form in which values are kept: so plain data must have
   * its keys in the same order. `undefined` expects that there is none.
   * @returns whether it did
   */
  compareAndSet(key: string, expected: V | undefined, value: V, options?: PutOptions): boolean
  /**
   * Puts what `change` makes of the value there. If somebody else changes that meanwhile, `change` runs again. What is there
   * keeps its end unless `ttl` says otherwise.
   * @param change gets undefined if there is no value; what it throws comes out, and undefined leaves the value as it is
   * @returns the value that is there now
   * @throws `ERR_RSPOOL_MAP_RECURSION` when it is called for a key by the function that changes this very key
   */
  update(key: string, change: (value: V | undefined) => V | undefined, options?: PutOptions): V | undefined
  /** @returns whether it was there */
  delete(key: string): boolean
  /** Milliseconds that the entry has left, Infinity for ever; undefined if there is none. */
  ttl(key: string): number | undefined
  /**
   * Has the entry end in so many milliseconds, or never.
   * @returns whether it was there
   */
  expire(key: string, ttl: number): boolean
  /** Deletes everything that is there. Takes a moment of a length that depends on the size of the map. */
  clear(): void
  /** The keys, in no order. Keys that are put or deleted meanwhile may be among them or not. */
  keys(options?: { prefix?: string }): IterableIterator<string>
  /** Looks at the whole map, which takes a few milliseconds for 100 MB. */
  stats(): SharedMapStatistics
  /** A number that every change of the entry makes another; 0 if there is none. It does not rise. */
  version(key: string): number
  /**
   * Resolves with the value once its version is another than `version`, at once if it is already; with undefined when the
   * entry was deleted or its time is over, the latter within a quarter of a second.
   * @param options.version @default that of now
   * @param options.timeout in milliseconds; rejects with `ERR_RSPOOL_WAIT_TIMEOUT`. @default Infinity
   * @param options.signal rejects with an AbortError
   */
  wait(key: string, options?: { version?: number; signal?: AbortSignal; timeout?: number }): Promise<V | undefined>
  /**
   * The value of a key. If there is none, one thread of all processes computes it, and the others wait for that; if it dies
   * meanwhile, another computes at once. What `compute` throws goes to its own caller alone, and the next one computes.
   * @param compute gives the value or a promise of it; undefined is given to the caller, and not kept
   * @param options.ttl how long the value lasts, in milliseconds
   * @param options.stale so many milliseconds longer `getOrCompute` gives the old value at once, while one thread computes a
   *   new one. For everything else the entry ends with its `ttl`. @default 0
   * @throws `ERR_RSPOOL_MAP_RECURSION` (it rejects) when it would wait for a function of this thread that waits for it: the
   *   one that computes a key asks for this very key, itself or by way of other keys
   */
  getOrCompute<T extends V>(
    key: string,
    compute: (key: string) => T | undefined | PromiseLike<T | undefined>,
    options?: { ttl?: number; stale?: number }
  ): Promise<T>
  /** What another thread of this process passes to `SharedMap.from()`. From then on the map lasts as long as the process. */
  share(): SharedMapHandle
}
