// Native tasks: what they take and give.

import { AtomicCounters, type BytesLike, type NativeTaskName, Pool, runTask, tasks } from 'rspool'
import { is } from './assert.mjs'

const pool = new Pool()
const bytes = Buffer.from('abc')

is<Promise<Buffer>>()(runTask('hash.sha256', bytes), true)
is<Promise<Buffer>>()(pool.runTask('hash.blake3', 'text'), true)
is<Promise<number>>()(runTask('hash.crc32', new ArrayBuffer(8)), true)
is<Promise<bigint>>()(runTask('hash.xxh3', new SharedArrayBuffer(8)), true)
is<Promise<Buffer>>()(runTask('compress.gzip', new Float64Array(2)), true)
is<Promise<Buffer>>()(runTask('decompress.gzip', new DataView(new ArrayBuffer(2))), true)
is<Promise<number>>()(runTask('math.countPrimes', 100), true)
is<Promise<number>>()(runTask('math.countPrimes', { from: 3, to: 100 }), true)
is<Promise<number>>()(runTask('math.fibonacci', 30n), true)
is<Promise<Buffer>>()(tasks.hash.sha256(bytes), true)
is<Promise<number>>()(tasks.math.fibonacci(3, { params: { method: 'iterative' } }), true)

declare const either: BytesLike
is<Promise<Buffer>>()(runTask('hash.sha256', either), true)

// An encoding decides the result.
is<Promise<string>>()(runTask('hash.sha256', bytes, { params: { encoding: 'hex' } }), true)
is<Promise<Buffer>>()(runTask('hash.sha256', bytes, { params: { encoding: 'buffer' } }), true)
is<Promise<string>>()(pool.runTask('hash.xxh3', bytes, { params: { encoding: 'base64', seed: 7n } }), true)
is<Promise<bigint>>()(tasks.hash.xxh3(bytes, { params: { encoding: 'bigint' } }), true)

// A sorted array is of the class of the input.
is<Promise<Float32Array>>()(runTask('array.sort', new Float32Array(4)), true)
is<Promise<BigInt64Array>>()(tasks.array.sort(new BigInt64Array(4), { params: { descending: true } }), true)
is<Promise<Uint8Array>>()(runTask('array.sort', bytes), true)

// Options.
const counters = new AtomicCounters(['bytes', 'done'])
const { signal } = new AbortController()
runTask('hash.sha256', bytes, { counters, signal, timeout: 10, queueTimeout: 10, priority: -20 })
runTask('hash.sha256', bytes, { counters: counters.share(), transferList: [new ArrayBuffer(1)] })
runTask('compress.gzip', bytes, { params: { level: undefined }, timeout: undefined })

// @ts-expect-error a number is not bytes
runTask('hash.sha256', 7)
// @ts-expect-error
pool.runTask('hash.sha256', 7)
// @ts-expect-error
tasks.hash.sha256({ data: bytes })
// @ts-expect-error a plain array is not a typed array
runTask('array.sort', [3, 1, 2])
// @ts-expect-error
runTask('math.fibonacci', '30')
// @ts-expect-error a misspelt name
runTask('hash.sha265', bytes)
// @ts-expect-error
pool.runTask('hash.sha265', bytes)
// @ts-expect-error
tasks.hash.sha265(bytes)
// @ts-expect-error an unknown param
runTask('compress.gzip', bytes, { params: { levl: 9 } })
// @ts-expect-error
pool.runTask('compress.gzip', bytes, { params: { levl: 9 } })
// @ts-expect-error a task without params
runTask('hash.sha256', bytes, { params: { level: 9 } })
// @ts-expect-error
runTask('compress.gzip', bytes, { params: { level: '9' } })
// @ts-expect-error a task without encodings
runTask('compress.gzip', bytes, { params: { encoding: 'hex' } })
// @ts-expect-error
runTask('hash.sha256', bytes, { params: { encoding: 'hexadecimal' } })
// @ts-expect-error an unknown option
runTask('hash.sha256', bytes, { timout: 5 })
// @ts-expect-error
pool.runTask('hash.sha256', bytes, { timout: 5 })
// @ts-expect-error
tasks.hash.sha256(bytes, { timout: 5 })
// @ts-expect-error
tasks.hash = { ...tasks.hash }

const name: NativeTaskName = 'hash.sha256'
// @ts-expect-error
const unknown: NativeTaskName = 'hash.md4'

export { name, unknown }
