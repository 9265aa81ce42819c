'use strict'

// Inputs of native tasks that are read where they are, and work that idle workers share.

const zlib = require('node:zlib')
const { createHash } = require('node:crypto')
const { setTimeout: after } = require('node:timers')
const test = require('ava')
const { lend, move } = require('..')
const { failure, fixture, makePool } = require('./helpers')

const SIZES = [0, 1, 16_383, 16_384, 1_000_003]

/** Bytes that nobody would guess. */
function noise(length) {
  const bytes = Buffer.alloc(length)
  for (let at = 0, state = 7; at < length; at++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff
    bytes[at] = state >> 16
  }
  return bytes
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest()

/** A view of a SharedArrayBuffer with these bytes, which does not begin at its begin. */
function shared(bytes) {
  const view = new Uint8Array(new SharedArrayBuffer(bytes.length + 3), 3)
  view.set(bytes)
  return view
}

for (const size of SIZES) {
  test(`${size} bytes that are lent, moved or shared have the hash of those that are copied`, async (t) => {
    const pool = makePool(t, { maxThreads: 2 })
    const bytes = noise(size)
    const expected = sha256(bytes)
    const moved = Uint8Array.from(bytes)
    const listed = Uint8Array.from(bytes)
    const results = await Promise.all([
      pool.runTask('hash.sha256', bytes),
      pool.runTask('hash.sha256', lend(bytes)),
      pool.runTask('hash.sha256', shared(bytes)),
      pool.runTask('hash.sha256', lend(shared(bytes))),
      pool.runTask('hash.sha256', move(moved)),
      pool.runTask('hash.sha256', listed, { transferList: [listed.buffer] })
    ])
    for (const result of results) t.deepEqual(result, expected)
    t.is(bytes.length, size)
    t.is(moved.buffer.byteLength, 0)
    t.is(listed.buffer.byteLength, 0)
  })
}

test('a part of a buffer may be lent, and the same buffer to many tasks', async (t) => {
  const pool = makePool(t, { maxThreads: 2 })
  const bytes = noise(3_000_000)
  const parts = Array.from({ length: 20 }, (_, n) => bytes.subarray(n * 1000, n * 1000 + 2_000_000))
  const hashes = await Promise.all(parts.map((part) => pool.runTask('hash.sha256', lend(part))))
  t.deepEqual(hashes, parts.map(sha256))
})

test('only a native task is lent anything', async (t) => {
  const pool = makePool(t, { filename: fixture('tasks.js'), maxThreads: 1 })
  const code = 'ERR_RSPOOL_INVALID_ARGUMENT'
  t.is((await failure(pool.run(lend(noise(20_000))))).code, code)
  t.is((await failure(pool.run({ deep: [lend(noise(20_000))] }))).code, code)
  for (const wrong of ['text', 5, {}, null]) t.throws(() => lend(wrong), { code })
  t.is(await pool.run(5), 5)
})

test('what a refused call was to move stays with its caller', async (t) => {
  const pool = makePool(t, { maxThreads: 1, maxInputSize: 100_000 })
  const bytes = noise(200_000)
  const own = Uint8Array.from(bytes)
  const { code } = await failure(pool.runTask('hash.sha256', move(own)))
  t.is(code, 'ERR_RSPOOL_INPUT_TOO_LARGE')
  t.is(own.length, 200_000)
})

test('a pool that is destroyed while it reads what is lent leaves the buffer as it was', async (t) => {
  const bytes = noise(8_000_000)
  const expected = sha256(bytes)
  for (let round = 0; round < 10; round++) {
    const pool = makePool(t, { maxThreads: 2 })
    const ended = Array.from({ length: 4 }, () => pool.runTask('compress.gzip', lend(bytes)).catch(({ code }) => code))
    await pool.destroy()
    for (const end of await Promise.all(ended))
      t.true(end === 'ERR_RSPOOL_POOL_CLOSED' || Buffer.isBuffer(end), String(end).slice(0, 40))
  }
  t.deepEqual(sha256(bytes), expected)
})

test('a thread that ends while its buffer is read ends its tasks before the memory goes', async (t) => {
  const { Worker } = require('node:worker_threads')
  const code = `
    const { Pool, lend } = require(${JSON.stringify(require.resolve('..'))})
    const { parentPort } = require('node:worker_threads')
    const pool = new Pool({ maxThreads: 2 })
    const bytes = new Uint8Array(64_000_000).fill(7)
    const again = () => pool.runTask('compress.gzip', lend(bytes), { params: { level: 9 } }).then(again, () => {})
    for (let n = 0; n < 4; n++) again()
    parentPort.postMessage('running')`
  for (let round = 0; round < 5; round++) {
    const worker = new Worker(code, { eval: true })
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    t.is(await worker.terminate(), 1)
  }
})

test('a result does not tell how many workers have helped', async (t) => {
  const [one, many] = [makePool(t, { maxThreads: 1 }), makePool(t, { maxThreads: 4 })]
  const bytes = Buffer.concat([noise(1_500_000), Buffer.alloc(1_500_000, 'the same words over and over')])
  const doubles = Float64Array.from({ length: 600_000 }, (_, n) => Math.sin(n) * 1e6)
  for (const [name, input] of [
    ['compress.gzip', bytes],
    ['hash.blake3', bytes],
    ['hash.crc32', bytes],
    ['array.sort', doubles]
  ]) {
    const alone = await one.runTask(name, input)
    t.deepEqual(await many.runTask(name, input), alone, name)
    t.deepEqual(await many.runTask(name, input, { parallel: false }), alone, name)
  }
  t.deepEqual(zlib.gunzipSync(await many.runTask('compress.gzip', bytes)), bytes)
  t.deepEqual(await many.runTask('array.sort', doubles), doubles.toSorted())
})

test('a task that is shared by all workers is given up as any other', async (t) => {
  const pool = makePool(t, { maxThreads: 4 })
  const doubles = Float64Array.from({ length: 3_000_000 }, (_, n) => Math.sin(n))
  const controller = new AbortController()
  const given = pool.runTask('array.sort', lend(doubles), { signal: controller.signal })
  after(() => controller.abort(), 1)
  const end = await given.then(
    (sorted) => sorted.length,
    ({ code }) => code
  )
  t.true(end === 'ABORT_ERR' || end === doubles.length, String(end))
  t.is((await pool.runTask('hash.sha256', 'the pool goes on')).length, 32)
})
