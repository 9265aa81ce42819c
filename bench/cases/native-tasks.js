'use strict'

const assert = require('node:assert')
const crypto = require('node:crypto')
const zlib = require('node:zlib')
const { Pool, lend } = require('../..')
const { alternate, interval, median, ratios } = require('../lib/measure')
const { UNITS, short } = require('../lib/report')

/**
 * A native task, and the same work done by Node.js or a plain JavaScript loop on the main thread.
 * @typedef {object} Contest
 * @property {string} task
 * @property {string} peer
 * @property {unknown} input
 * @property {object} [params]
 * @property {() => unknown} rival
 */

/** Rows as a program would compress them. @param {number} bytes */
function rows(bytes) {
  let text = ''
  for (let id = 0; text.length < bytes; id++)
    text += `${JSON.stringify({ id, name: `user ${(id * 7919) % 1000}`, seen: id * 31, active: id % 3 > 0 })}\n`
  return Buffer.from(text)
}

/** @param {Float64Array} numbers */
function statsOf(numbers) {
  let [sum, min, max] = [0, Infinity, -Infinity]
  for (const n of numbers) {
    sum += n
    if (n < min) min = n
    if (n > max) max = n
  }
  const mean = sum / numbers.length
  let squares = 0
  for (const n of numbers) squares += (n - mean) ** 2
  return { min, max, mean, variance: squares / numbers.length }
}

/** @param {Int32Array} keys @param {Float64Array} values */
function sumsOf(keys, values) {
  /** @type {Map<number, number>} */
  const sums = new Map()
  for (let i = 0; i < keys.length; i++) sums.set(keys[i], (sums.get(keys[i]) ?? 0) + values[i])
  return sums
}

/** @param {Float64Array} numbers @param {number} bins */
function countsOf(numbers, bins) {
  const counts = new Float64Array(bins)
  for (const n of numbers) counts[Math.min(bins - 1, Math.floor(n * bins))]++
  return counts
}

/** @param {Float32Array} matrix @param {Float32Array} query */
function nearestOf(matrix, query) {
  let [best, found] = [-Infinity, -1]
  for (let row = 0; row < matrix.length / query.length; row++) {
    let dot = 0
    for (let i = 0; i < query.length; i++) dot += matrix[row * query.length + i] * query[i]
    if (dot > best) {
      best = dot
      found = row
    }
  }
  return found
}

/** @param {Float64Array} a @param {Float64Array} b @param {number} side of both matrices, which are square */
function productOf(a, b, side) {
  const product = new Float64Array(side * side)
  for (let row = 0; row < side; row++)
    for (let k = 0; k < side; k++)
      for (let column = 0; column < side; column++)
        product[row * side + column] += a[row * side + k] * b[k * side + column]
  return product
}

/** @param {number} scale 1, or less for a quick look @returns {Contest[]} */
function contests(scale) {
  const text = rows(4e6 * scale)
  const numbers = Float64Array.from({ length: 1e6 * scale }, () => Math.random())
  const keys = Int32Array.from(numbers, (n) => Math.floor(n * 1000))
  const matrix = Float32Array.from({ length: 256 * 10_000 * scale }, () => Math.random() - 0.5)
  const query = matrix.slice(256, 512)
  const side = 256
  const square = numbers.slice(0, side * side)
  const [gzipped, deflated] = [zlib.gzipSync(text), zlib.deflateSync(text)]
  const bytes = crypto.randomBytes(8e6 * scale)
  return [
    {
      task: 'hash.sha256',
      input: lend(bytes),
      peer: 'node:crypto',
      rival: () => crypto.createHash('sha256').update(bytes).digest()
    },
    { task: 'compress.gzip', input: lend(text), peer: 'node:zlib', rival: () => zlib.gzipSync(text) },
    {
      task: 'compress.gzip',
      params: { level: 9 },
      input: lend(text),
      peer: 'node:zlib, level 9',
      rival: () => zlib.gzipSync(text, { level: 9 })
    },
    { task: 'compress.deflate', input: lend(text), peer: 'node:zlib', rival: () => zlib.deflateRawSync(text) },
    {
      task: 'compress.lz4',
      input: lend(text),
      peer: 'node:zlib, gzip level 1',
      rival: () => zlib.gzipSync(text, { level: 1 })
    },
    { task: 'decompress.gzip', input: lend(gzipped), peer: 'node:zlib', rival: () => zlib.gunzipSync(gzipped) },
    { task: 'decompress.zlib', input: lend(deflated), peer: 'node:zlib', rival: () => zlib.inflateSync(deflated) },
    { task: 'array.sort', input: lend(numbers), peer: 'Float64Array sort', rival: () => numbers.slice().sort() },
    {
      task: 'array.argsort',
      input: lend(numbers),
      peer: 'sort of the places',
      rival: () => Uint32Array.from(numbers.keys()).sort((a, b) => numbers[a] - numbers[b])
    },
    { task: 'array.stats', input: lend(numbers), peer: 'two loops', rival: () => statsOf(numbers) },
    {
      task: 'array.histogram',
      params: { bins: 100, min: 0, max: 1 },
      input: lend(numbers),
      peer: 'a loop',
      rival: () => countsOf(numbers, 100)
    },
    {
      task: 'array.groupBy',
      params: { how: 'sum' },
      input: { keys: lend(keys), values: lend(numbers) },
      peer: 'a Map',
      rival: () => sumsOf(keys, numbers)
    },
    {
      task: 'array.topK',
      params: { k: 100 },
      input: lend(numbers),
      peer: 'Float64Array sort',
      rival: () => numbers.slice().sort().slice(-100)
    },
    {
      task: 'array.nearest',
      params: { k: 1, metric: 'dot' },
      input: { matrix: lend(matrix), query: lend(query) },
      peer: 'two loops',
      rival: () => nearestOf(matrix, query)
    },
    {
      task: 'array.matmul',
      params: { k: side },
      input: { a: lend(square), b: lend(square) },
      peer: 'three loops',
      rival: () => productOf(square, square, side)
    }
  ]
}

/** @param {unknown} value @param {unknown} other */
function sizes(value, other) {
  if (!Buffer.isBuffer(value) || !Buffer.isBuffer(other) || value.length === other.length) return ''
  return `${short(value.length / other.length)}×`
}

module.exports = {
  title: 'Native tasks',
  what: 'The time of one call on one worker, from call to result, over that of the same work on the main thread, which it blocks; the input is lent. Beside it the bytes of what was compressed, over those of the other. Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds, quick }) {
    const pool = new Pool({ minThreads: 1, maxThreads: 1 })
    const { show } = UNITS.ms
    const lines = [['', 'rspool', 'there', 'ratio', '90 %', 'bytes', 'beside']]
    for (const { task, input, params, peer, rival } of contests(quick ? 0.2 : 1)) {
      const call = () => pool.runTask(task, input, { params })
      const given = await call()
      assert.ok(given !== undefined)
      const bytes = task.startsWith('compress') ? sizes(given, rival()) : ''
      const samples = await alternate(
        [
          { name: 'rspool', call },
          { name: 'rival', call: async () => rival() }
        ],
        rounds,
        async ({ call }) => {
          const start = performance.now()
          await call()
          return performance.now() - start
        }
      )
      const [own, other] = ['rspool', 'rival'].map((name) => /** @type {number[]} */ (samples.get(name)))
      const all = ratios(own, other)
      const [low, high] = interval(all)
      const name = params === undefined || !('level' in params) ? task : `${task}, level ${params.level}`
      lines.push([
        name,
        show(median(own)),
        show(median(other)),
        short(median(all)),
        `${short(low)}–${short(high)}`,
        bytes,
        peer
      ])
    }
    await pool.close()
    return { tables: [{ lines }], targets: [] }
  }
}
