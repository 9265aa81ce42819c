'use strict'

// The built-in native tasks, each beside the same work done by Node.js, by a plain JavaScript loop, or by another package.

const crypto = require('node:crypto')
const { promisify } = require('node:util')
const zlib = require('node:zlib')
const { lend } = require('../..')
const { installed } = require('./installed')

/**
 * A native task, and the same work done elsewhere: on the main thread, or where a promise says so, in libuv's pool.
 * @typedef {object} Contest
 * @property {string} task
 * @property {string} peer
 * @property {unknown} input
 * @property {object} [params]
 * @property {() => unknown} rival may give a promise
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

/** @param {number} most */
function primesUpTo(most) {
  const composite = new Uint8Array(most + 1)
  let count = 0
  for (let n = 2; n <= most; n++) {
    if (composite[n] === 1) continue
    count++
    for (let multiple = n * n; multiple <= most; multiple += n) composite[multiple] = 1
  }
  return count
}

/** @param {number} n @returns {number} */
const fibonacci = (n) => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2))

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
function hashes(scale) {
  const bytes = crypto.randomBytes(8e6 * scale)
  const input = lend(bytes)
  const sum = (/** @type {string} */ name) => () => crypto.createHash(name).update(bytes).digest()
  const crc32 = /** @type {{ crc32?: (bytes: Buffer) => number }} */ (zlib).crc32
  return [
    { task: 'hash.sha256', input, peer: 'node:crypto', rival: sum('sha256') },
    { task: 'hash.blake3', input, peer: 'node:crypto, blake2b512', rival: sum('blake2b512') },
    { task: 'hash.xxh3', input, peer: 'node:crypto, md5', rival: sum('md5') },
    ...(crc32 === undefined ? [] : [{ task: 'hash.crc32', input, peer: 'node:zlib', rival: () => crc32(bytes) }])
  ]
}

/** @param {number} scale @returns {Contest[]} */
function compressions(scale) {
  const text = rows(4e6 * scale)
  const input = lend(text)
  const [gzipped, deflated, raw] = [zlib.gzipSync(text), zlib.deflateSync(text), zlib.deflateRawSync(text)]
  const gzip = promisify(zlib.gzip)
  const lz4 = installed('lz4-napi')
  /** Levels that correspond: zlib has nothing as quick as level 1 here. @type {[number, number][]} */
  const levels = [
    [1, 1],
    [2, 1],
    [6, 6],
    [9, 9]
  ]
  const packed = lz4?.compressFrameSync(text)
  return [
    ...levels.map(([level, theirs]) => ({
      task: 'compress.gzip',
      params: { level },
      input,
      peer: `node:zlib, level ${theirs}`,
      rival: () => zlib.gzipSync(text, { level: theirs })
    })),
    { task: 'compress.gzip', input, peer: "node:zlib in libuv's pool", rival: () => gzip(text) },
    { task: 'compress.zlib', input, peer: 'node:zlib', rival: () => zlib.deflateSync(text) },
    { task: 'compress.deflate', input, peer: 'node:zlib', rival: () => zlib.deflateRawSync(text) },
    ...(lz4 === undefined
      ? [
          {
            task: 'compress.lz4',
            input,
            peer: 'node:zlib, gzip level 1',
            rival: () => zlib.gzipSync(text, { level: 1 })
          }
        ]
      : [
          { task: 'compress.lz4', input, peer: 'lz4-napi', rival: () => lz4.compressFrameSync(text) },
          {
            task: 'decompress.lz4',
            input: lend(packed),
            peer: 'lz4-napi',
            rival: () => lz4.decompressFrameSync(packed)
          }
        ]),
    { task: 'decompress.gzip', input: lend(gzipped), peer: 'node:zlib', rival: () => zlib.gunzipSync(gzipped) },
    { task: 'decompress.zlib', input: lend(deflated), peer: 'node:zlib', rival: () => zlib.inflateSync(deflated) },
    { task: 'decompress.deflate', input: lend(raw), peer: 'node:zlib', rival: () => zlib.inflateRawSync(raw) }
  ]
}

/** @param {number} scale @returns {Contest[]} */
function arrays(scale) {
  const numbers = Float64Array.from({ length: 1e6 * scale }, () => Math.random())
  const keys = Int32Array.from(numbers, (n) => Math.floor(n * 1000))
  const matrix = Float32Array.from({ length: 256 * 10_000 * scale }, () => Math.random() - 0.5)
  const query = matrix.slice(256, 512)
  const side = 256
  const square = numbers.slice(0, side * side)
  const polars = installed('nodejs-polars')
  const series = polars?.Series('numbers', numbers)
  return [
    { task: 'array.sort', input: lend(numbers), peer: 'Float64Array sort', rival: () => numbers.slice().sort() },
    ...(series === undefined
      ? []
      : [{ task: 'array.sort', input: lend(numbers), peer: 'nodejs-polars', rival: () => series.sort() }]),
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

/** @returns {Contest[]} */
function maths() {
  return [
    { task: 'math.countPrimes', input: 3_000_000, peer: 'a sieve', rival: () => primesUpTo(3_000_000) },
    { task: 'math.fibonacci', input: 30, peer: 'the same recursion', rival: () => fibonacci(30) }
  ]
}

/** @param {number} scale 1, or less for a quick look */
function contests(scale) {
  return [...hashes(scale), ...compressions(scale), ...arrays(scale), ...maths()]
}

module.exports = { contests }
