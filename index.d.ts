/// <reference types="node" />

/** What a task that takes bytes takes. It is copied when the call is made; a string becomes UTF-8. */
export type BytesLike = string | NodeJS.ArrayBufferView | ArrayBuffer | SharedArrayBuffer

/** The typed arrays that native tasks take and give, by the name of their class. */
export interface TypedArrays {
  Int8Array: Int8Array
  Uint8Array: Uint8Array
  Uint8ClampedArray: Uint8ClampedArray
  Int16Array: Int16Array
  Uint16Array: Uint16Array
  Int32Array: Int32Array
  Uint32Array: Uint32Array
  Float32Array: Float32Array
  Float64Array: Float64Array
  BigInt64Array: BigInt64Array
  BigUint64Array: BigUint64Array
}

/** What a digest is as, by `params.encoding`. */
export interface DigestEncodings {
  buffer: Buffer
  hex: string
  base64: string
  base64url: string
}

declare const none: unique symbol

/** The params of a task that takes none. */
export interface NoParams {
  readonly [none]?: never
}

/**
 * The native tasks: for each name its `input`, its `params` (all optional) and its `result`.
 *
 * Where a task has `encodings`, `params.encoding` takes their names and decides the type of the
 * result; without it the result is `result`. Where `result` is `TypedArrays[keyof TypedArrays]`,
 * it is of the class of the input.
 *
 * A task of your own is made known by declaration merging:
 * ```ts
 * declare module 'rspool' {
 *   interface NativeTasks {
 *     'image.resize': { input: BytesLike; params: { width?: number }; result: Buffer }
 *   }
 * }
 * ```
 */
export interface NativeTasks {
  /** SHA-256 (FIPS 180-4): 32 bytes. Counts `bytes`. */
  'hash.sha256': { input: BytesLike; params: NoParams; encodings: DigestEncodings; result: Buffer }

  /** BLAKE3 with no key: 32 bytes. Counts `bytes`. */
  'hash.blake3': { input: BytesLike; params: NoParams; encodings: DigestEncodings; result: Buffer }

  /** CRC-32 of zip and gzip (RFC 1952), as `zlib.crc32`: an integer from 0 to 2³² − 1. Counts `bytes`. */
  'hash.crc32': {
    input: BytesLike
    params: {
      /** The checksum of what came before, an integer from 0 to 2³² − 1. @default 0 */
      value?: number
    }
    result: number
  }

  /**
   * XXH3, 64 bits: a BigInt from 0 to 2⁶⁴ − 1, or by `encoding` its 8 bytes, most significant
   * first. Not for input from somebody who wants collisions. Counts `bytes`.
   */
  'hash.xxh3': {
    input: BytesLike
    params: {
      /** An integer from 0 to 2⁶⁴ − 1; as a string decimal digits, or hexadecimal after `0x`. @default 0 */
      seed?: number | bigint | string
    }
    encodings: DigestEncodings & { bigint: bigint }
    result: bigint
  }

  /**
   * gzip (RFC 1952): one member, the same bytes for the same input. Counts `bytes` of the input.
   * Rejects with `ERR_RSPOOL_OUT_OF_MEMORY`.
   */
  'compress.gzip': {
    input: BytesLike
    params: {
      /** From 0 (stored) to 9 (smallest). @default 6 */
      level?: number
    }
    result: Buffer
  }

  /**
   * The contents of gzip data (RFC 1952), of several members one after another. Counts `bytes` of
   * the output. Rejects with `ERR_RSPOOL_CORRUPT_INPUT` (no gzip, damaged, cut short),
   * `ERR_RSPOOL_OUTPUT_TOO_LARGE` (past `maxOutput`) or `ERR_RSPOOL_OUT_OF_MEMORY`.
   */
  'decompress.gzip': {
    input: BytesLike
    params: {
      /** The most bytes to give. @default 268435456 (256 MiB) */
      maxOutput?: number
    }
    result: Buffer
  }

  /**
   * The elements sorted, in a new array of the class of the input (a Uint8Array for a Buffer), in
   * the order of `TypedArray.prototype.sort`: -0 before +0, NaN last. No `Float16Array`. Counts
   * `rows`. Rejects with `ERR_RSPOOL_OUT_OF_MEMORY`.
   */
  'array.sort': {
    input: TypedArrays[keyof TypedArrays]
    params: {
      /** Exactly the reverse order. @default false */
      descending?: boolean
    }
    result: TypedArrays[keyof TypedArrays]
  }

  /**
   * The number of primes p ≤ n, or from ≤ p ≤ to; integers from 0 to 2⁵³ − 1. Counts `rows`, the
   * numbers sieved.
   */
  'math.countPrimes': {
    input: number | bigint | { from?: number; to: number }
    params: NoParams
    result: number
  }

  /**
   * The n-th Fibonacci number, exact, by the recursion that tutorials take as a CPU load: n from
   * 0 to 50, the time grows by 1.6 with each.
   */
  'math.fibonacci': {
    input: number | bigint
    params: {
      /** `'iterative'` gives the number at once, for n from 0 to 78. @default 'recursive' */
      method?: 'recursive' | 'iterative'
    }
    result: number
  }
}

/** The name of a native task. */
export type NativeTaskName = keyof NativeTasks

/** The encodings that native task `K` knows; none for most. */
export type NativeEncoding<K extends NativeTaskName> = NativeTasks[K] extends { encodings: infer M } ? keyof M : never

/** The params of native task `K`, with encoding `E`. */
export type NativeParams<K extends NativeTaskName, E extends NativeEncoding<K>> = NativeTasks[K]['params'] & {
  encoding?: E
}

/** The result of native task `K` for input `I`, with encoding `E`; `never` means that none was given. */
export type NativeResult<K extends NativeTaskName, I, E> = [E] extends [never]
  ? TypedArrays[keyof TypedArrays] extends NativeTasks[K]['result']
    ? I extends { readonly [Symbol.toStringTag]: infer C extends keyof TypedArrays }
      ? TypedArrays[C]
      : NativeTasks[K]['result']
    : NativeTasks[K]['result']
  : NativeTasks[K] extends { encodings: infer M }
    ? M[E & keyof M]
    : NativeTasks[K]['result']

/**
 * The number of CPUs that this process may keep busy, at least 1: the processors of its affinity
 * mask, and no more than its cgroup's CPU quota (version 1 or 2). A fractional quota is rounded
 * down, so that a pool of this size is never stopped by the kernel for the rest of a period. Read
 * anew at each call.
 */
export function cpuCount(): number

/** What `share()` gives: plain data for a message, `workerData`, a task's input or its `counters`. */
export interface SharedCounters {
  readonly type: 'rspool.counters'
  readonly names: readonly string[]
  readonly buffer: SharedArrayBuffer
}

/**
 * Named 64-bit counters in shared memory, for the threads of a process (and, in the cluster
 * helper, for its processes). Each has a cache line of its own. An operation is one `Atomics`
 * operation on a view, with no native call, lock or message.
 *
 * Values are integers of 64 bits and wrap around beyond. Where a number is given it must be a safe
 * integer, a BigInt must fit 64 bits. Where a number comes back it is rounded if it is beyond
 * 2⁵³; `getBigInt` is always exact.
 *
 * Every method throws a TypeError with code `ERR_RSPOOL_INVALID_ARGUMENT` for an unknown counter
 * or a value that is no such integer, and then changes nothing.
 *
 * @typeParam N the names
 */
export class AtomicCounters<N extends string = string> {
  /**
   * @param names at least one string, none empty, none twice
   * @param options.buffer the memory to count in, with what is in it; 64 bytes for each name, the
   *   rest is left alone. By default new memory, all zero.
   */
  constructor(names: readonly N[], options?: { buffer?: SharedArrayBuffer | undefined })

  /**
   * Counters on the same memory as those that `share()` was called on, most often in another thread.
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
   * What another thread passes to `AtomicCounters.from`: plain data that can be cloned.
   * @throws `ERR_RSPOOL_NOT_SHAREABLE` for counters of the cluster helper, which its processes
   *   have already
   */
  share(): SharedCounters
}
