// What the types of native tasks and counters allow and give, as a call with their generics sees it.

import {
  AtomicCounters,
  cpuCount,
  type NativeEncoding,
  type NativeParams,
  type NativeResult,
  type NativeTaskName,
  type NativeTasks
} from 'rspool'

declare module 'rspool' {
  interface NativeTasks {
    'image.resize': { input: BytesLike; params: { width?: number }; result: Buffer }
  }
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function gives<B>(): <A>(value: A, same: Equal<A, B>) => void
declare function run<
  K extends NativeTaskName,
  const I extends NativeTasks[K]['input'],
  const E extends NativeEncoding<K> = never
>(task: K, input: I, params?: NativeParams<K, E>): NativeResult<K, I, E>

const bytes = Buffer.from('abc')

gives<Buffer>()(run('hash.sha256', bytes), true)
gives<Buffer>()(run('hash.sha256', new SharedArrayBuffer(8), {}), true)
gives<Buffer>()(run('hash.sha256', bytes, { encoding: 'buffer' }), true)
gives<string>()(run('hash.blake3', 'text', { encoding: 'hex' }), true)
gives<number>()(run('hash.crc32', bytes, { value: 7 }), true)
gives<bigint>()(run('hash.xxh3', bytes, { seed: 5n }), true)
gives<bigint>()(run('hash.xxh3', bytes, { encoding: 'bigint' }), true)
gives<Buffer>()(run('hash.xxh3', bytes, { seed: '0xff', encoding: 'buffer' }), true)
gives<Buffer>()(run('compress.gzip', bytes, { level: 9 }), true)
gives<Buffer>()(run('decompress.gzip', bytes, { maxOutput: 1024 }), true)
gives<Float64Array>()(run('array.sort', new Float64Array(3)), true)
gives<Uint8Array>()(run('array.sort', bytes, { descending: true }), true)
gives<number>()(run('math.countPrimes', { to: 100 }), true)
gives<number>()(run('math.fibonacci', 30n, { method: 'iterative' }), true)
gives<Buffer>()(run('image.resize', bytes, { width: 320 }), true)

// @ts-expect-error there is no such task
run('hash.sha257', bytes)
// @ts-expect-error a number is not bytes
run('hash.sha256', 5)
// @ts-expect-error an array of numbers is not a typed array
run('array.sort', [2, 1])
// @ts-expect-error no such encoding
run('hash.sha256', bytes, { encoding: 'latin1' })
// @ts-expect-error no such param
run('hash.sha256', bytes, { level: 1 })
// @ts-expect-error a param with a slip
run('compress.gzip', bytes, { levle: 1 })
// @ts-expect-error gzip has no encoding
run('compress.gzip', bytes, { encoding: 'hex' })
// @ts-expect-error this task takes no params
run('math.countPrimes', 5, { x: 1 })

const counters = new AtomicCounters(['hits', 'misses'])
gives<number>()(counters.add('hits', 5n), true)
gives<bigint>()(counters.getBigInt('misses'), true)
gives<number>()(counters.snapshot().hits, true)
gives<number>()(counters.reset('hits'), true)
gives<number>()(counters.reset().misses, true)
gives<number>()(AtomicCounters.from(counters.share()).add('any'), true)
gives<number>()(AtomicCounters.from(counters).add('hits'), true)
gives<number>()(cpuCount(), true)
// @ts-expect-error no such counter
counters.add('hist')
// @ts-expect-error a string is no number
counters.add('hits', '1')
// @ts-expect-error the memory must be shared
new AtomicCounters(['a'], { buffer: new ArrayBuffer(64) })
