'use strict'

// Each native task against Node's own, through the pool.

const crypto = require('node:crypto')
const zlib = require('node:zlib')
const test = require('ava')
const { AtomicCounters, runTask, tasks } = require('../index.js')
const { failure, makePool } = require('./helpers')

const INVALID = 'ERR_RSPOOL_INVALID_ARGUMENT'
const bytes = crypto.randomBytes(300_000)
const text = 'The quick brown fox, déjà vu, 漢字 🙂 '

/** The same bytes in every form that a task takes. */
function forms(buffer) {
  const array = new Uint8Array(buffer)
  const shared = new Uint8Array(new SharedArrayBuffer(buffer.length))
  shared.set(buffer)
  const longer = new Uint8Array(buffer.length + 13)
  longer.set(buffer, 5)
  return {
    Buffer: buffer,
    Uint8Array: array,
    ArrayBuffer: array.buffer,
    DataView: new DataView(array.buffer),
    'a part of a buffer': longer.subarray(5, 5 + buffer.length),
    SharedArrayBuffer: shared.buffer,
    'a view on shared memory': shared
  }
}

for (const [form, input] of Object.entries(forms(bytes))) {
  test(`bytes are taken as ${form}`, async (t) => {
    t.deepEqual(await runTask('hash.sha256', input), crypto.createHash('sha256').update(bytes).digest())
    const packed = await runTask('compress.gzip', input)
    t.deepEqual(zlib.gunzipSync(packed), bytes)
    t.deepEqual(await runTask('decompress.gzip', packed), bytes)
  })
}

test('bytes of wider elements are taken as they lie in memory', async (t) => {
  for (const View of [Int16Array, Float64Array, BigInt64Array]) {
    const view = new View(new Uint8Array(bytes).buffer, 8, 100)
    const raw = Buffer.from(view.buffer, 8, view.byteLength)
    t.deepEqual(await tasks.hash.sha256(view), crypto.createHash('sha256').update(raw).digest())
  }
})

test('a small Buffer in a slab is taken alone', async (t) => {
  for (const word of ['', 'a', 'abc', 'x'.repeat(1000)]) {
    const digest = crypto.createHash('sha256').update(word).digest()
    t.deepEqual(await tasks.hash.sha256(Buffer.from(word)), digest)
  }
})

test('a string is taken as UTF-8', async (t) => {
  for (const input of [
    '',
    'a',
    text,
    text.repeat(5000),
    '\ud800 lone',
    'x'.repeat(682),
    'é'.repeat(683),
    '漢'.repeat(2048)
  ]) {
    t.deepEqual(await tasks.hash.sha256(input), crypto.createHash('sha256').update(input, 'utf8').digest())
  }
})

test('what is neither bytes nor a string is refused, with what was given', async (t) => {
  for (const task of ['hash.sha256', 'hash.blake3', 'hash.crc32', 'hash.xxh3', 'compress.gzip', 'decompress.gzip']) {
    for (const input of [undefined, null, 1, true, 1n, {}, [1, 2], new Map(), new Date(0), { toJSON() {} }]) {
      const error = await t.throwsAsync(runTask(task, input), { instanceOf: TypeError, code: INVALID })
      t.true(error.message.startsWith(`${task}: `), error.message)
      t.regex(error.message, /, got /)
    }
  }
})

test('what cannot be sent is refused', async (t) => {
  for (const input of [() => {}, Symbol('s')]) {
    t.is((await failure(runTask('hash.sha256', input))).name, 'DataCloneError')
  }
  await t.throwsAsync(runTask('math.countPrimes', { to: 1n }), { instanceOf: TypeError, code: INVALID })
  const cyclic = {}
  cyclic.self = cyclic
  await t.throwsAsync(runTask('math.countPrimes', cyclic), { instanceOf: TypeError, code: INVALID })
})

test('the input is as it was at the call', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const first = pool.runTask('math.fibonacci', 32)
  const small = Buffer.from('abc')
  const large = Buffer.alloc(100_000, 1)
  const shared = new Uint8Array(new SharedArrayBuffer(8))
  const pending = [small, large, shared].map((input) => pool.runTask('hash.crc32', input))
  const expected = [small, large, shared].map((input) => zlib.crc32?.(input))
  for (const each of [small, large, shared]) each.fill(9)
  await first
  const results = await Promise.all(pending)
  if (zlib.crc32) t.deepEqual(results, expected)
  t.is(results[0], 0x352441c2)
})

test('unknown params are refused, with the nearest known one', async (t) => {
  const error = await t.throwsAsync(tasks.hash.sha256('', { params: { encodng: 'hex' } }), { code: INVALID })
  t.regex(error.message, /params\.encodng is unknown, did you mean encoding\?/)
  await t.throwsAsync(tasks.math.fibonacci(1, { params: { x: 1 } }), { code: INVALID, message: /known are method/ })
})

test('params that are no plain data are refused', async (t) => {
  const cyclic = {}
  cyclic.self = cyclic
  for (const params of [
    cyclic,
    { encoding: 1n },
    { encoding: {} },
    { encoding: null },
    { encoding: 'HEX' },
    { encoding: 1 }
  ]) {
    await t.throwsAsync(tasks.hash.sha256('', { params }), { instanceOf: TypeError, code: INVALID })
  }
})

for (const encoding of ['hex', 'base64', 'base64url', 'buffer']) {
  test(`hash.sha256 as ${encoding}`, async (t) => {
    for (const input of ['', text, bytes]) {
      const hash = crypto.createHash('sha256').update(input)
      const expected = encoding === 'buffer' ? hash.digest() : hash.digest(encoding)
      const actual = await tasks.hash.sha256(input, { params: { encoding } })
      t.deepEqual(actual, expected)
      if (encoding === 'buffer') t.true(Buffer.isBuffer(actual))
    }
  })
}

test('hash.blake3 gives the digests of its specification', async (t) => {
  const { blake3 } = tasks.hash
  const hex = { params: { encoding: 'hex' } }
  t.is(await blake3('', hex), 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262')
  t.is(await blake3('abc', hex), '6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85')
  t.is((await blake3(bytes)).length, 32)
})

test('hash.crc32 is that of zlib', async (t) => {
  t.is(await tasks.hash.crc32('123456789'), 0xcbf43926)
  const gzipped = zlib.gzipSync(bytes)
  t.is(await tasks.hash.crc32(bytes), gzipped.readUInt32LE(gzipped.length - 8))
  const head = await tasks.hash.crc32(bytes.subarray(0, 1000))
  t.is(await tasks.hash.crc32(bytes.subarray(1000), { params: { value: head } }), await tasks.hash.crc32(bytes))
  for (const value of [-1, 2 ** 32, 1.5, 'x']) {
    await t.throwsAsync(tasks.hash.crc32('', { params: { value } }), { code: INVALID, message: /params\.value/ })
  }
})

test('hash.xxh3 gives a BigInt, and takes a seed', async (t) => {
  const { xxh3 } = tasks.hash
  t.is(await xxh3(''), 0x2d06800538d394c2n)
  t.is(await xxh3('abc'), 0x78af5f94892f3950n)
  t.is(await xxh3('', { params: { seed: 0 } }), 0x2d06800538d394c2n)
  t.not(await xxh3('abc', { params: { seed: 7 } }), await xxh3('abc'))
  t.is(await xxh3('abc', { params: { encoding: 'hex' } }), '78af5f94892f3950')
  t.deepEqual(await xxh3('abc', { params: { encoding: 'buffer' } }), Buffer.from('78af5f94892f3950', 'hex'))
  t.is(
    await xxh3('abc', { params: { seed: '18446744073709551615' } }),
    await xxh3('abc', { params: { seed: `${2n ** 64n - 1n}` } })
  )
  for (const seed of [-1, 1.5, 'x', '18446744073709551616']) {
    await t.throwsAsync(xxh3('', { params: { seed } }), { code: INVALID, message: /params\.seed/ })
  }
})

test('compress.gzip is read by zlib, at every level, and smaller at the higher ones', async (t) => {
  const input = Buffer.from(text.repeat(20_000))
  const sizes = []
  for (let level = 0; level <= 9; level++) {
    const packed = await tasks.compress.gzip(input, { params: { level } })
    t.true(Buffer.isBuffer(packed))
    t.deepEqual(zlib.gunzipSync(packed), input)
    sizes.push(packed.length)
  }
  t.true(sizes[0] > input.length)
  t.true(sizes[9] <= sizes[1])
  t.deepEqual(zlib.gunzipSync(await tasks.compress.gzip('')), Buffer.alloc(0))
  for (const level of [-1, 10, 1.5, '6']) {
    await t.throwsAsync(tasks.compress.gzip('', { params: { level } }), { code: INVALID, message: /from 0 to 9/ })
  }
})

test('decompress.gzip reads what zlib writes, several members too', async (t) => {
  const { gzip } = tasks.decompress
  t.deepEqual(await gzip(zlib.gzipSync(bytes)), bytes)
  t.deepEqual(await gzip(zlib.gzipSync('')), Buffer.alloc(0))
  t.deepEqual(await gzip(Buffer.concat([zlib.gzipSync('one '), zlib.gzipSync('two')])), Buffer.from('one two'))
})

test('decompress.gzip refuses what is damaged or cut short', async (t) => {
  const packed = zlib.gzipSync(bytes)
  const damaged = Buffer.from(packed)
  damaged[1000] ^= 0xff
  const wrongSum = Buffer.from(packed)
  wrongSum[wrongSum.length - 6] ^= 1
  for (const input of [
    Buffer.alloc(0),
    Buffer.from('no gzip at all'),
    bytes,
    damaged,
    wrongSum,
    packed.subarray(0, -1),
    packed.subarray(0, 5),
    Buffer.concat([packed, Buffer.from('rest')])
  ]) {
    const error = await t.throwsAsync(tasks.decompress.gzip(input), { code: 'ERR_RSPOOL_CORRUPT_INPUT' })
    t.true(error.message.startsWith('decompress.gzip: '))
  }
  t.deepEqual(await tasks.decompress.gzip(packed), bytes)
})

test('decompress.gzip refuses a bomb', async (t) => {
  const bomb = zlib.gzipSync(Buffer.alloc(20_000_000))
  const code = 'ERR_RSPOOL_OUTPUT_TOO_LARGE'
  await t.throwsAsync(tasks.decompress.gzip(bomb, { params: { maxOutput: 19_999_999 } }), { code, message: /19999999/ })
  await t.throwsAsync(tasks.decompress.gzip(bomb, { params: { maxOutput: 0 } }), { code })
  t.is((await tasks.decompress.gzip(bomb, { params: { maxOutput: 20_000_000 } })).length, 20_000_000)
  const large = Buffer.concat(new Array(14).fill(bomb))
  await t.throwsAsync(tasks.decompress.gzip(large), { code, message: /268435456/ })
  for (const maxOutput of [-1, 1.5, '5', Infinity]) {
    await t.throwsAsync(tasks.decompress.gzip(bomb, { params: { maxOutput } }), { code: INVALID })
  }
})

const arrays = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array
}
for (const [name, View] of Object.entries(arrays)) {
  test(`array.sort sorts a ${name} as its own sort does`, async (t) => {
    for (const length of [0, 1, 2, 1000, 40_000]) {
      const raw = crypto.randomBytes(length * View.BYTES_PER_ELEMENT)
      const view = new View(new Uint8Array(raw).buffer)
      const before = view.slice()
      const sorted = await tasks.array.sort(view)
      t.is(Object.getPrototypeOf(sorted), View.prototype)
      t.true(same(sorted, view.slice().sort()))
      t.true(same(view, before), 'the input is not changed')
      const descending = await tasks.array.sort(view, { params: { descending: true } })
      t.true(same(descending, view.slice().sort().reverse()))
    }
  })
}

/** By value: every NaN is the same, and the zeros are not. */
function same(a, b) {
  return a.length === b.length && a.every((each, i) => Object.is(each, b[i]))
}

test('array.sort keeps to the order of NaN and the zeros', async (t) => {
  const sorted = await tasks.array.sort(new Float64Array([NaN, 0, -0, Infinity, -Infinity, 1]))
  t.deepEqual([...sorted], [-Infinity, -0, 0, 1, Infinity, NaN])
})

test('array.sort refuses what is no typed array', async (t) => {
  for (const input of [[3, 1], 'text', undefined, 1, {}]) {
    await t.throwsAsync(tasks.array.sort(input), { code: INVALID, message: /typed array/ })
  }
})

test('math.countPrimes counts, up to and including', async (t) => {
  const { countPrimes } = tasks.math
  const counts = await Promise.all([0, 1, 2, 3, 10, 100, 1e6].map((n) => countPrimes(n)))
  t.deepEqual(counts, [0, 0, 1, 2, 4, 25, 78_498])
  t.is(await countPrimes({ from: 10, to: 20 }), 4)
  t.is(await countPrimes({ from: 20, to: 10 }), 0)
  for (const input of [-1, 1.5, NaN, Infinity, 2 ** 53, '10', undefined, null, {}, { to: -1 }, { from: 1, till: 2 }]) {
    await t.throwsAsync(countPrimes(input), { instanceOf: TypeError, code: INVALID })
  }
})

test('math.fibonacci is exact', async (t) => {
  const { fibonacci } = tasks.math
  const iterative = { params: { method: 'iterative' } }
  t.deepEqual(await Promise.all([0, 1, 2, 10, 25, 27].map((n) => fibonacci(n))), [0, 1, 1, 55, 75_025, 196_418])
  t.is(await fibonacci(78, iterative), 8_944_394_323_791_464)
  for (const input of [-1, 51, 1.5, '5', undefined]) await t.throwsAsync(fibonacci(input), { code: INVALID })
  await t.throwsAsync(fibonacci(79, iterative), { code: INVALID })
  await t.throwsAsync(fibonacci(5, { params: { method: 'fast' } }), { code: INVALID, message: /recursive/ })
})

test('a task counts into counters while it runs, and says when it is done', async (t) => {
  const counters = new AtomicCounters(['rows', 'bytes', 'done'])
  const pool = makePool(t, { maxThreads: 1 })
  await pool.runTask('hash.sha256', bytes, { counters: counters.share() })
  t.is(counters.get('bytes'), bytes.length)
  t.is(counters.get('done'), 1)
  await pool.runTask('array.sort', new Float64Array(1000), { counters })
  t.is(counters.get('rows'), 1000)
  t.is(counters.get('done'), 2)
  await failure(pool.runTask('decompress.gzip', bytes, { counters }))
  t.is(counters.get('done'), 2)
})

test('progress is seen while the task runs, and stops with it', async (t) => {
  const counters = new AtomicCounters(['rows', 'unrelated'])
  const pool = makePool(t, { maxThreads: 1 })
  const controller = new AbortController()
  const running = pool.runTask('math.countPrimes', 2 ** 50, { counters, signal: controller.signal })
  while (counters.get('rows') === 0) await new Promise(setImmediate)
  controller.abort()
  await t.throwsAsync(running, { code: 'ABORT_ERR' })
  t.is(await pool.runTask('math.fibonacci', 5), 5)
  const after = counters.get('rows')
  t.is(await pool.runTask('math.fibonacci', 25), 75_025)
  t.is(counters.get('rows'), after)
  t.is(counters.get('unrelated'), 0)
})

test('a task of any kind stops when it is aborted', async (t) => {
  const large = crypto.randomBytes(48_000_000)
  const pool = makePool(t, { maxThreads: 1 })
  await pool.runTask('hash.crc32', '')
  const long = {
    'hash.sha256': [large],
    'hash.blake3': [large],
    'compress.gzip': [large, { level: 9 }],
    'decompress.gzip': [zlib.gzipSync(Buffer.alloc(200_000_000), { level: 1 })],
    'array.sort': [new Float64Array(large.buffer, 0, 6_000_000)],
    'math.countPrimes': [2 ** 53 - 1],
    'math.fibonacci': [50]
  }
  for (const [task, [input, params = {}]] of Object.entries(long)) {
    const controller = new AbortController()
    const running = pool.runTask(task, input, { signal: controller.signal, params })
    controller.abort()
    const { code } = await running.catch((error) => error)
    t.is(code, 'ABORT_ERR', task)
    // The only worker is free again: the last two would take minutes or hours to their end.
    t.is(await pool.runTask('math.fibonacci', 5), 5, task)
  }
})

test('many small tasks of all kinds give the right results', async (t) => {
  const pool = makePool(t, { maxThreads: 4 })
  const checks = Array.from({ length: 2000 }, async (_, n) => {
    const input = `input ${n}`
    switch (n % 4) {
      case 0:
        return t.deepEqual(await pool.runTask('hash.sha256', input), crypto.createHash('sha256').update(input).digest())
      case 1:
        return t.deepEqual(zlib.gunzipSync(await pool.runTask('compress.gzip', input)), Buffer.from(input))
      case 2:
        return t.is(
          await pool.runTask('math.fibonacci', n % 20),
          [0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181][n % 20]
        )
      default:
        return t.deepEqual(
          [...(await pool.runTask('array.sort', new Uint32Array([n, 5, n - 1])))],
          [n, 5, n - 1].sort((a, b) => a - b)
        )
    }
  })
  await Promise.all(checks)
})

test('tasks tell which part of their work is done, up to the whole', async (t) => {
  const pool = makePool(t, { maxThreads: 2 })
  const lines = Buffer.from('The same words over and over. '.repeat(100_000))
  const numbers = Float64Array.from({ length: 300_000 }, (_, i) => Math.sin(i))
  const keys = Int32Array.from(numbers, (n) => n * 100)
  const calls = {
    'hash.sha256': [lines],
    'hash.blake3': [lines],
    'hash.crc32': [lines],
    'hash.xxh3': [lines],
    'compress.gzip': [lines],
    'compress.zlib': [lines],
    'compress.deflate': [lines],
    'compress.lz4': [lines],
    'decompress.gzip': [zlib.gzipSync(lines)],
    'decompress.zlib': [zlib.deflateSync(lines)],
    'decompress.deflate': [zlib.deflateRawSync(lines)],
    'decompress.lz4': [await pool.runTask('compress.lz4', lines)],
    'array.sort': [numbers],
    'array.argsort': [numbers],
    'array.stats': [numbers, { quantiles: [0.5] }],
    'array.histogram': [numbers],
    'array.groupBy': [{ keys, values: numbers }, { how: 'sum' }],
    'array.topK': [numbers, { k: 10 }],
    'array.nearest': [{ matrix: numbers, query: numbers.slice(0, 100) }, { k: 3 }],
    'array.matmul': [
      { a: numbers, b: numbers },
      { k: 300, m: 1000, n: 1000 }
    ],
    'math.countPrimes': [2_000_000]
  }
  for (const [name, [input, params]] of Object.entries(calls)) {
    const told = []
    await pool.runTask(name, input, { params, onProgress: (part) => told.push(part) })
    t.is(told.at(-1), 1, name)
    t.true(
      told.every((part, i) => part > 0 && part >= (told[i - 1] ?? 0)),
      `${name}: ${told}`
    )
  }
})
