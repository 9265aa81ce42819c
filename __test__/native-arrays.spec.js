'use strict'

// The tasks on arrays, against the same in JavaScript, and compression against node:zlib.

const zlib = require('node:zlib')

const test = require('ava').default
const { Pool, lend, tasks } = require('..')

const INVALID = 'ERR_RSPOOL_INVALID_ARGUMENT'

/** Numbers that look random, the same each time. @param {number} length */
function noise(length) {
  let state = 12345
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return state / 2 ** 31
  })
}

test('argsort gives the places of a stable sort', async (t) => {
  const keys = Int8Array.from({ length: 5000 }, (_, index) => (index * 7919) % 100)
  const expected = Array.from(keys.keys()).sort((a, b) => keys[a] - keys[b] || a - b)
  t.deepEqual(Array.from(await tasks.array.argsort(keys)), expected)
  const doubles = noise(200_000)
  const places = await tasks.array.argsort(lend(doubles), { params: { descending: true } })
  t.true(places instanceof Uint32Array)
  t.deepEqual(
    Float64Array.from(places, (place) => doubles[place]),
    doubles.toSorted().reverse()
  )
})

test('stats are those of a plain loop', async (t) => {
  const numbers = noise(150_000)
  numbers[7] = NaN
  const stats = await tasks.array.stats(numbers, { params: { quantiles: [0, 0.5, 1] } })
  const known = Array.from(numbers.filter((n) => !Number.isNaN(n)))
  const sum = known.reduce((a, b) => a + b)
  const mean = sum / known.length
  const variance = known.reduce((a, b) => a + (b - mean) ** 2, 0) / known.length
  const sorted = Float64Array.from(known).sort()
  const close = (/** @type {number} */ a, /** @type {number} */ b) => t.true(Math.abs(a - b) < 1e-9, `${a} ${b}`)
  t.deepEqual([stats.count, stats.nan, stats.min, stats.max], [known.length, 1, sorted[0], sorted[sorted.length - 1]])
  close(stats.sum, sum)
  close(stats.mean, mean)
  close(stats.variance, variance)
  t.deepEqual(stats.quantiles, [sorted[0], sorted[(known.length - 1) / 2], sorted[known.length - 1]])
  const none = await tasks.array.stats(new Float64Array(0))
  t.deepEqual(none, { count: 0, nan: 0, min: NaN, max: NaN, sum: 0, mean: NaN, variance: NaN })
  await t.throwsAsync(tasks.array.stats(new BigInt64Array(1)), { code: INVALID, message: /BigInt64Array/ })
})

test('a result of all cores is that of one, bit for bit', async (t) => {
  const pool = new Pool()
  const keys = Uint16Array.from({ length: 1_100_000 }, (_, index) => (index * 7919) % 1000)
  const values = noise(1_100_000)
  /** @type {[string, unknown, object][]} */
  const calls = [
    ['array.stats', values, { quantiles: [0.1, 0.9] }],
    ['array.groupBy', { keys, values }, { how: 'sum' }],
    ['array.histogram', values, { bins: 77 }],
    ['array.topK', values, { k: 10 }]
  ]
  for (const [task, input, params] of calls) {
    const alone = await pool.runTask(task, input, { params, parallel: false })
    t.deepEqual(await pool.runTask(task, input, { params }), alone, task)
  }
  await pool.close()
})

test('a histogram counts each number where its edges say', async (t) => {
  const numbers = noise(10_000)
  const { counts, edges } = await tasks.array.histogram(numbers, { params: { bins: 20, min: -0.5, max: 0.5 } })
  t.deepEqual([counts.length, edges.length, edges[0], edges[20]], [20, 21, -0.5, 0.5])
  for (const [bin, count] of counts.entries()) {
    const inside = numbers.filter((n) => n >= edges[bin] && (n < edges[bin + 1] || (bin === 19 && n === 0.5)))
    t.is(inside.length, count)
  }
  await t.throwsAsync(tasks.array.histogram(Float64Array.of(Infinity)), { code: INVALID, message: /params\.min/ })
})

test('groupBy makes one figure of the values of each key', async (t) => {
  const keys = Int32Array.from({ length: 50_000 }, (_, index) => ((index * 7919) % 321) - 100)
  const values = noise(50_000)
  /** @type {Map<number, number>} */
  const expected = new Map()
  for (const [index, key] of keys.entries()) expected.set(key, Math.max(expected.get(key) ?? -Infinity, values[index]))
  const found = await tasks.array.groupBy({ keys: lend(keys), values: lend(values) }, { params: { how: 'max' } })
  const order = Array.from(expected.keys()).sort((a, b) => a - b)
  t.deepEqual(found.keys, Int32Array.from(order))
  t.deepEqual(
    found.values,
    Float64Array.from(order, (key) => /** @type {number} */ (expected.get(key)))
  )
  t.deepEqual(await tasks.array.groupBy({ keys: Uint8Array.of(1, 1) }), {
    keys: Uint8Array.of(1),
    values: Float64Array.of(2)
  })
  // @ts-expect-error what is not there
  await t.throwsAsync(tasks.array.groupBy({ keys, value: values }), { code: INVALID, message: /did you mean values/ })
})

test('topK and nearest give the best first', async (t) => {
  const numbers = noise(100_000)
  const { indices, values } = await tasks.array.topK(numbers, { params: { k: 5 } })
  t.deepEqual(values, numbers.toSorted().reverse().slice(0, 5))
  t.deepEqual(
    Float64Array.from(indices, (place) => numbers[place]),
    values
  )
  const matrix = Float32Array.from(noise(64 * 1000))
  const query = matrix.slice(64 * 123, 64 * 124)
  const near = await tasks.array.nearest({ matrix, query }, { params: { k: 3, metric: 'l2' } })
  t.deepEqual([near.indices[0], near.values[0], near.indices.length], [123, 0, 3])
  // @ts-expect-error a call has to say how many
  await t.throwsAsync(tasks.array.topK(numbers, { params: {} }), { code: INVALID, message: /params\.k/ })
})

test('matmul multiplies', async (t) => {
  const [m, k, n] = [70, 300, 33]
  const [a, b] = [noise(m * k), noise(k * n)]
  const product = await tasks.array.matmul({ a, b }, { params: { m, k, n } })
  t.is(product.length, m * n)
  for (const [row, column] of [
    [0, 0],
    [69, 32],
    [35, 7]
  ]) {
    let sum = 0
    for (let i = 0; i < k; i++) sum += a[row * k + i] * b[i * n + column]
    t.true(Math.abs(product[row * n + column] - sum) < 1e-9)
  }
})

const text = Buffer.from('One pool for all the CPU work. '.repeat(20_000))

/** @type {['zlib' | 'deflate', (bytes: Buffer) => Buffer, (bytes: Buffer) => Buffer][]} */
const formats = [
  ['zlib', zlib.inflateSync, zlib.deflateSync],
  ['deflate', zlib.inflateRawSync, zlib.deflateRawSync]
]
for (const [format, unpack, pack] of formats) {
  test(`node:zlib reads compress.${format}, and decompress.${format} what it writes`, async (t) => {
    for (const level of [0, 1, 6, 9]) {
      t.deepEqual(unpack(await tasks.compress[format](text, { params: { level } })), text)
    }
    t.deepEqual(await tasks.decompress[format](pack(text)), text)
    const cut = tasks.decompress[format](pack(text).subarray(0, 20))
    await t.throwsAsync(cut, { code: 'ERR_RSPOOL_CORRUPT_INPUT', message: /cut short/ })
    const bomb = tasks.decompress[format](pack(text), { params: { maxOutput: 1000 } })
    await t.throwsAsync(bomb, { code: 'ERR_RSPOOL_OUTPUT_TOO_LARGE' })
  })
}

test('lz4 comes back, and is a frame that the command lz4 reads', async (t) => {
  const packed = await tasks.compress.lz4(text)
  t.deepEqual(packed.subarray(0, 4), Buffer.from([0x04, 0x22, 0x4d, 0x18]))
  t.true(packed.length < text.length / 50)
  t.deepEqual(await tasks.decompress.lz4(packed), text)
  // As that command writes it, with the length of the content and its checksum.
  const hello = Buffer.from('04224d186440a70500008068656c6c6f00000000f97700fb', 'hex')
  t.is(String(await tasks.decompress.lz4(hello)), 'hello')
})
