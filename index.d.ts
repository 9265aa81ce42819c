/// <reference types="node" />

import type { AtomicCounters, SharedCounters } from './types/counters.js'
import type {
  CheckedInput,
  CheckedOptions,
  CheckedTask,
  Lent,
  Moved,
  OneArgument,
  ScriptOptions,
  ScriptTask,
  SharedOptions,
  SyncOptions,
  TaskOptions,
  TaskResult
} from './types/tasks.js'

/** The cluster helper: processes on shared ports, kept up, with shared counters and one CPU budget. */
export * as cluster from './types/cluster.js'
export * from './types/counters.js'
export * from './types/errors.js'
export * from './types/observation.js'
export * from './types/options.js'
export * from './types/plugins.js'
export * from './types/pool.js'
export * from './types/shared-map.js'
export * from './types/tasks.js'

// ---- native tasks ------------------------------------------------------------------------------

// biome-ignore lint/complexity/noUselessEmptyExport: without it what is not exported here would be, too
export {}

/** Bytes in any kind of memory. */
type Memory = NodeJS.ArrayBufferView | ArrayBuffer | SharedArrayBuffer

/**
 * The input of a task that takes bytes. The bytes are copied when the call is made. Memory that is moved, shared or lent is
 * not copied: the task reads it in place while it runs. A string becomes UTF-8.
 */
export type BytesLike = string | Memory | Moved<Memory> | Lent<Memory>

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

/** The form of a digest, by `params.encoding`. */
export interface DigestEncodings {
  /** The bytes of the digest. */
  buffer: Buffer
  /** Two hexadecimal digits per byte. */
  hex: string
  /** Base64 with padding. */
  base64: string
  /** Base64 for URLs, without padding. */
  base64url: string
}

/** A typed array of any class but `Float16Array` as a member of an input. It is copied unless it is lent. */
export type ArrayMember = TypedArrays[keyof TypedArrays] | Lent<TypedArrays[keyof TypedArrays]>

/** A typed array of any class but `Float16Array` as an input. It is copied unless it is moved or lent. */
export type ArrayInput = ArrayMember | Moved<TypedArrays[keyof TypedArrays]>

/** A typed array of floats as a member of an input. It is copied unless it is lent. */
export type FloatMember = Float32Array | Float64Array | Lent<Float32Array> | Lent<Float64Array>

/** The result of `array.stats`. If the array has no numbers, `sum` is 0, and every other figure but the counts is NaN. */
export interface ArrayStats {
  /** How many elements are not NaN. */
  count: number
  /** NaN. */
  nan: number
  /** The least number. */
  min: number
  /** The greatest number. */
  max: number
  /** The sum, corrected for rounding errors (Neumaier's summation). */
  sum: number
  /** The arithmetic mean. */
  mean: number
  /** The variance of the whole population. */
  variance: number
  /** One for each of `params.quantiles`, if there are any. */
  quantiles?: number[]
}

declare const none: unique symbol

/** The params of a task that has no params. */
export interface NoParams {
  readonly [none]?: never
}

/**
 * The native tasks: for each name its `input`, its `params` (all optional) and its `result`.
 *
 * A task that can be called as a stream, by {@link Pool.stream}, has the type of its `chunk`s, too.
 *
 * If a task has `encodings`, `params.encoding` names one of them and decides the type of the result; without it the
 * type is `result`. If `result` is `TypedArrays[keyof TypedArrays]`, the result has the class of the input.
 *
 * Declare a task of your own by declaration merging:
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
      /** The checksum of the bytes before the input, an integer from 0 to 2³² − 1. @default 0 */
      value?: number | undefined
    }
    result: number
  }

  /**
   * XXH3, 64 bits: a BigInt from 0 to 2⁶⁴ − 1, or by `encoding` its 8 bytes, most significant
   * first. Not collision-resistant against an attacker. Counts `bytes`.
   */
  'hash.xxh3': {
    input: BytesLike
    params: {
      /** An integer from 0 to 2⁶⁴ − 1; as a string decimal digits, or hexadecimal after `0x`. @default 0 */
      seed?: number | bigint | string | undefined
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
      level?: number | undefined
    }
    result: Buffer
  }

  /**
   * The contents of gzip data (RFC 1952), which may have several members one after another. Counts `bytes` of the
   * output. Rejects with `ERR_RSPOOL_CORRUPT_INPUT` (not gzip, damaged or cut short), `ERR_RSPOOL_OUTPUT_TOO_LARGE`
   * (past `maxOutput`) or `ERR_RSPOOL_OUT_OF_MEMORY`.
   */
  'decompress.gzip': {
    input: BytesLike
    params: {
      /** The most bytes to give. @default 268435456 (256 MiB) */
      maxOutput?: number | undefined
    }
    result: Buffer
  }

  /**
   * The zlib format (RFC 1950), which HTTP calls `deflate`: the same bytes for the same input. Counts `bytes` of the
   * input. Rejects with `ERR_RSPOOL_OUT_OF_MEMORY`.
   */
  'compress.zlib': {
    input: BytesLike
    params: {
      /** From 0 (stored) to 9 (smallest). @default 6 */
      level?: number | undefined
    }
    result: Buffer
  }

  /** Raw deflate (RFC 1951), otherwise as `compress.zlib`. */
  'compress.deflate': {
    input: BytesLike
    params: {
      /** From 0 (stored) to 9 (smallest). @default 6 */
      level?: number | undefined
    }
    result: Buffer
  }

  /**
   * One LZ4 frame: independent blocks of 1 MiB, and a checksum of the contents. Counts `bytes` of the input. Rejects
   * with `ERR_RSPOOL_OUT_OF_MEMORY`.
   */
  'compress.lz4': { input: BytesLike; params: NoParams; result: Buffer }

  /**
   * The contents of zlib data (RFC 1950). Bytes after the data are an error. Counts `bytes` of the output. Rejects as
   * `decompress.gzip` does.
   */
  'decompress.zlib': {
    input: BytesLike
    params: {
      /** The most bytes to give. @default 268435456 (256 MiB) */
      maxOutput?: number | undefined
    }
    result: Buffer
  }

  /** The contents of raw deflate (RFC 1951), which has no checksum; otherwise as `decompress.zlib`. */
  'decompress.deflate': {
    input: BytesLike
    params: {
      /** The most bytes to give. @default 268435456 (256 MiB) */
      maxOutput?: number | undefined
    }
    result: Buffer
  }

  /**
   * The contents of LZ4 frames, one after another. Counts `bytes` of the output. Rejects as `decompress.gzip` does, and
   * with `ERR_RSPOOL_CORRUPT_INPUT` if a frame needs a dictionary.
   */
  'decompress.lz4': {
    input: BytesLike
    params: {
      /** The most bytes to give. @default 268435456 (256 MiB) */
      maxOutput?: number | undefined
    }
    result: Buffer
  }

  /**
   * The elements sorted, in a new array of the class of the input (a Uint8Array for a Buffer), in
   * the order of `TypedArray.prototype.sort`: -0 before +0, NaN last. No `Float16Array`. Counts
   * `rows`. Rejects with `ERR_RSPOOL_OUT_OF_MEMORY`.
   */
  'array.sort': {
    input: ArrayInput
    params: {
      /** Exactly the reverse order. @default false */
      descending?: boolean | undefined
    }
    result: TypedArrays[keyof TypedArrays]
  }

  /**
   * The indices of the elements in the order of `array.sort`; equal elements keep their order. The input has fewer than
   * 2³² elements. Counts `rows`. Rejects with `ERR_RSPOOL_OUT_OF_MEMORY`.
   */
  'array.argsort': {
    input: ArrayInput
    params: {
      /** Greatest first; equal elements keep their order. @default false */
      descending?: boolean | undefined
    }
    result: Uint32Array
  }

  /**
   * Statistics of numbers. NaN is counted in `nan`, and left out of every other figure. No BigInts. Counts `rows`.
   * Rejects with `ERR_RSPOOL_OUT_OF_MEMORY`.
   */
  'array.stats': {
    input: ArrayInput
    params: {
      /** Which quantiles, from 0 to 1; between two elements they are interpolated. @default none */
      quantiles?: readonly number[] | undefined
    }
    result: ArrayStats
  }

  /**
   * How many numbers lie in each bin. A bin includes its lower edge and excludes its upper edge; the last bin includes
   * both. NaN and numbers outside of the bins are not counted. No BigInts. Counts `rows`.
   */
  'array.histogram': {
    input: ArrayInput
    params: {
      /** How many bins of equal width, from 1 to 1,000,000. @default 10 */
      bins?: number | undefined
      /** The lower end of the first bin. @default the least number */
      min?: number | undefined
      /** The upper end of the last bin. @default the greatest number */
      max?: number | undefined
      /** The edges of the bins, two or more, in order. If given, the other params are ignored. */
      edges?: readonly number[] | undefined
    }
    result: {
      /** How many numbers are in each bin. */
      counts: Float64Array
      /** The edges: one more than there are bins. */
      edges: Float64Array
    }
  }

  /**
   * One figure per key, made of the values of the key. Keys are compared as in a `Map`. NaN among the values is
   * skipped. Counts need no values. The members of the input may be `lend(…)`. Counts `rows`.
   */
  'array.groupBy': {
    input: { keys: ArrayMember; values?: ArrayMember | undefined }
    params: {
      /** The figure of each key; `count` is its number of rows. @default 'count' */
      how?: 'count' | 'sum' | 'mean' | 'min' | 'max' | undefined
    }
    result: {
      /** Each key once, in order, in an array of the class of `input.keys`. */
      keys: TypedArrays[keyof TypedArrays]
      /** The figure of each key. */
      values: Float64Array
    }
  }

  /**
   * The greatest elements, or the least, and their indices. The earlier of two equal elements is first. Never NaN.
   * Counts `rows`.
   */
  'array.topK': {
    input: ArrayInput
    params: {
      /** How many, from 1 on. */
      k: number
      /** Gives the least elements instead. @default false */
      smallest?: boolean | undefined
    }
    result: {
      /** The indices of the `values`, in the same order. */
      indices: Uint32Array
      /** At most `k` elements, in an array of the class of the input. */
      values: TypedArrays[keyof TypedArrays]
    }
  }

  /**
   * The rows of a matrix that are nearest to a vector; all rows are compared. The matrix holds its rows one after
   * another, each as long as the query. The members of the input may be `lend(…)`. Counts `rows`.
   */
  'array.nearest': {
    input: { matrix: FloatMember; query: FloatMember }
    params: {
      /** How many rows, from 1 on. */
      k: number
      /**
       * How rows are compared: by dot product or cosine (greatest first), or by Euclidean distance (least first).
       * @default 'cosine'
       */
      metric?: 'dot' | 'cosine' | 'l2' | undefined
    }
    result: {
      /** The rows, nearest first. */
      indices: Uint32Array
      /** The product, cosine or distance of each. */
      values: Float64Array
    }
  }

  /**
   * The product of two matrices, `m` × `k` and `k` × `n`: `m` × `n` elements. Each matrix holds its rows one after another.
   * The members of the input may be `lend(…)`. Counts `rows`, the elements of the result. Rejects with
   * `ERR_RSPOOL_OUT_OF_MEMORY`.
   */
  'array.matmul': {
    input: { a: FloatMember; b: FloatMember }
    params: {
      /** The columns of `a`, which are the rows of `b`. */
      k: number
      /** The rows of `a`, only to be checked. @default as many as its length gives */
      m?: number | undefined
      /** The columns of `b`, only to be checked. @default as many as its length gives */
      n?: number | undefined
    }
    result: Float32Array | Float64Array
  }

  /**
   * The number of primes p ≤ n, or from ≤ p ≤ to. The limits are integers from 0 to 2⁵³ − 1. Counts the sieved numbers
   * as `rows`.
   */
  'math.countPrimes': {
    input: number | bigint | { from?: number | undefined; to: number }
    params: NoParams
    result: number
  }

  /**
   * The n-th Fibonacci number, exact, by the recursion that tutorials take as a CPU load. n is from 0 to 50; each step
   * takes 1.6 times as long as the one before.
   */
  'math.fibonacci': {
    input: number | bigint
    params: {
      /** `'iterative'` gives the number at once, for n from 0 to 78. @default 'recursive' */
      method?: 'recursive' | 'iterative' | undefined
    }
    result: number
  }
}

/** The name of a native task. */
export type NativeTaskName = keyof NativeTasks

/** The input of native task `K`. */
export type NativeInput<K extends NativeTaskName> = NativeTasks[K] extends { input: infer I } ? I : unknown

/** The encodings that native task `K` knows. Most tasks have none. */
export type NativeEncoding<K extends NativeTaskName> = NativeTasks[K] extends { encodings: infer M } ? keyof M : never

/** The params of native task `K`, with encoding `E`. */
export type NativeParams<K extends NativeTaskName, E extends NativeEncoding<K> = never> = (NativeTasks[K] extends {
  params: infer P
}
  ? P
  : NoParams) & { encoding?: E | undefined }

/** The value that is moved or lent, or else the input itself. */
type Held<I> = I extends Moved<infer V> ? V : I extends Lent<infer V> ? V : I

/** The result of native task `K` for input `I`, with encoding `E`; `never` means no encoding. */
export type NativeResult<K extends NativeTaskName, I = NativeInput<K>, E = never> = [E] extends [never]
  ? NativeTasks[K] extends { result: infer R }
    ? TypedArrays[keyof TypedArrays] extends R
      ? Held<I> extends { readonly [Symbol.toStringTag]: infer C extends keyof TypedArrays }
        ? TypedArrays[C]
        : R
      : R
    : unknown
  : NativeTasks[K] extends { encodings: infer M }
    ? M[E & keyof M]
    : never

/** The options of a native task. */
export interface NativeOptions<K extends NativeTaskName, E extends NativeEncoding<K> = never> extends TaskOptions {
  /**
   * The params of the task: see its entry in {@link NativeTasks}. Copied as JSON. An unknown param or a value that is
   * not allowed rejects with `ERR_RSPOOL_INVALID_ARGUMENT`. @default {}
   */
  params?: NativeParams<K, E> | undefined
  /**
   * Counters that the task adds to while it runs, shared and not copied: `done` (1 when it succeeds), and `bytes` or
   * `rows` if its entry says so. A name that the counters lack is not counted.
   * @default none
   */
  counters?: AtomicCounters<any> | SharedCounters | undefined
  /**
   * Called with the progress that the task reports: a number, by convention from 0 to 1. If several reports come while
   * this thread is busy, only the last one is delivered. Most tasks report nothing. @default none
   */
  onProgress?: ((value: number) => void) | undefined
  /**
   * Whether other workers of the pool may help with the task while they have nothing else to do: `'auto'` or `false`. The
   * result is the same. @default 'auto'
   */
  parallel?: 'auto' | false | undefined
}

/** The name of a native task that can be called as a stream. */
export type NativeStreamName = {
  [K in NativeTaskName]: NativeTasks[K] extends { chunk: unknown } ? K : never
}[NativeTaskName]

/** The chunks of native task `K`. */
export type NativeChunk<K extends NativeTaskName> = NativeTasks[K] extends { chunk: infer C } ? C : never

/** The options of {@link Pool.stream} for a native task. */
export interface NativeStreamOptions<K extends NativeTaskName>
  extends SharedOptions,
    Pick<NativeOptions<K>, 'params' | 'counters' | 'parallel' | 'onProgress' | 'transferList'> {
  /**
   * How many chunks, 1 to 1000000, may be on their way to the reader. There are fewer if they are large: a chunk is sent only
   * while less than 1 MiB is on its way. @default 16
   */
  highWaterMark?: number | undefined
}

/** The native tasks as functions on the default pool, by family: `tasks.hash.sha256(bytes)`. */
export type Tasks = {
  readonly [F in NativeTaskName extends infer N ? (N extends `${infer Family}.${string}` ? Family : never) : never]: {
    readonly [K in NativeTaskName as K extends `${F}.${infer Task}` ? Task : never]: <
      const I extends NativeInput<K>,
      const E extends NativeEncoding<K> = never
    >(
      input: I,
      options?: NativeOptions<K, E>
    ) => Promise<NativeResult<K, I, E>>
  }
}

// ---- the default pool --------------------------------------------------------------------------

/** Runs a native task on the default pool; see {@link Pool.runTask}. The first call makes the pool. */
export function runTask<
  K extends NativeTaskName,
  const I extends NativeInput<K>,
  const E extends NativeEncoding<K> = never
>(task: K, input: I, options?: NativeOptions<K, E>): Promise<NativeResult<K, I, E>>
/** Runs an inline function on the default pool; see {@link Pool.runTask}. */
export function runTask<A extends unknown[], R>(
  task: (...args: A) => R,
  args: readonly [...A],
  options?: ScriptOptions
): Promise<TaskResult<R>>
/** Runs an inline function with one argument that is no array on the default pool. */
export function runTask<I, R>(
  task: (input: I) => R,
  input: OneArgument<I>,
  options?: ScriptOptions
): Promise<TaskResult<R>>
/** Runs an inline function without arguments on the default pool. */
export function runTask<R>(task: () => R, input?: undefined, options?: ScriptOptions): Promise<TaskResult<R>>
/** Calls an export of a script on the default pool. */
export function runTask<T = any>(task: ScriptTask, input?: any, options?: ScriptOptions): Promise<T>
/** No call has this form. The compiler compares a wrong call with it, so that its message names the mistake. */
export function runTask<const K>(
  task: CheckedTask<K>,
  input: CheckedInput<K>,
  options?: CheckedOptions<K>
): Promise<never>

/** Runs a native task on the default pool, and blocks until it has ended; see {@link Pool.runSync}. */
export function runTaskSync<
  K extends NativeTaskName,
  const I extends NativeInput<K>,
  const E extends NativeEncoding<K> = never
>(task: K, input: I, options?: NativeOptions<K, E>): NativeResult<K, I, E>
/** Runs an inline function on the default pool, and blocks until it has ended. */
export function runTaskSync<A extends unknown[], R>(
  task: (...args: A) => R,
  args: readonly [...A],
  options?: SyncOptions
): TaskResult<R>
/** Runs an inline function with one argument that is no array on the default pool, and blocks until it has ended. */
export function runTaskSync<I, R>(task: (input: I) => R, input: OneArgument<I>, options?: SyncOptions): TaskResult<R>
/** Runs an inline function without arguments on the default pool, and blocks until it has ended. */
export function runTaskSync<R>(task: () => R, input?: undefined, options?: SyncOptions): TaskResult<R>
/** Calls an export of a script on the default pool, and blocks until it has ended. */
export function runTaskSync<T = any>(task: ScriptTask, input?: any, options?: SyncOptions): T
/** No call has this form. The compiler compares a wrong call with it, so that its message names the mistake. */
export function runTaskSync<const K>(
  task: CheckedTask<K>,
  input: CheckedInput<K>,
  options?: CheckedOptions<K, SyncOptions>
): never

/** Each native task as a function on the default pool. Tasks of a plugin appear once the plugin is loaded. */
export const tasks: Tasks

/**
 * The number of CPUs that this process may keep busy, at least 1: the processors of its affinity
 * mask, and no more than the CPU quota of its cgroup (version 1 or 2). A fractional quota is rounded down, so that the
 * kernel never stops a pool of this size for the rest of a period. Read anew at each call.
 */
export function cpuCount(): number

/**
 * Lets all pools that this process makes from now on, in all its threads, share one CPU budget: together they keep at
 * most `busy` workers busy, and each pool may always run one task, even beyond that. Free places go to the pools that
 * have tasks. The pools of a cluster's processes share a budget by themselves.
 *
 * @param busy default: {@link cpuCount}
 * @returns false, and nothing changes, if the pools share a budget already: that of a cluster, or of an earlier call
 * @throws `ERR_RSPOOL_INVALID_ARGUMENT` unless `busy` is an integer from 1 to 4096; `ERR_RSPOOL_UNSUPPORTED` on
 * Windows
 */
export function shareCpu(busy?: number): boolean

/** The metrics of all pools of this thread, as one text for Prometheus; see {@link Pool.metrics}. */
export function metrics(): string
