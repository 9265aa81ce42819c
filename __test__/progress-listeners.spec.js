'use strict'

const path = require('node:path')
const test = require('ava')
const { Pool } = require('..')
const { stayAlive } = require('./helpers')

const filename = path.join(__dirname, 'fixtures', 'progress.js')

/** Keeps this thread busy until the pool has done all it can, so that everything comes in at once. */
function blockUntil(pool, completed) {
  while (pool.stats().completed < completed);
}

async function readyPool(t) {
  const pool = new Pool({ filename, maxThreads: 1 })
  t.teardown(() => pool.destroy())
  await pool.runTask('ping')
  return pool
}

test('all progress comes before the result', async (t) => {
  const pool = await readyPool(t)
  const seen = []
  const pending = pool.runTask('report', 1, { onProgress: (value) => seen.push(value) })
  blockUntil(pool, 2)
  seen.push(await pending)
  t.deepEqual(seen, ['half', 'whole', 1])
})

test('a listener that makes calls does not disturb the results that come with its progress', async (t) => {
  const pool = await readyPool(t)
  const inner = []
  const onProgress = () => inner.push(pool.runTask('hash.crc32', 'text'.repeat(50)))
  const inputs = Array.from({ length: 50 }, (_, i) => `input ${i} ${'x'.repeat(i)}`)
  const pending = inputs.map((input) => pool.runTask('report', input, { onProgress }))
  blockUntil(pool, 51)
  t.deepEqual(await Promise.all(pending), inputs)
  t.is(new Set(await Promise.all(inner)).size, 1)
  t.is(inner.length, 100)
})

test.serial('what a listener throws is uncaught, and every task settles', async (t) => {
  const pool = await readyPool(t)
  const uncaught = []
  const listeners = process.rawListeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  const all = new Promise((resolve) => {
    process.on('uncaughtException', (error) => {
      if (uncaught.push(error.message) === 10) resolve()
    })
  })
  const onProgress = (value) => {
    throw new Error(value)
  }
  const pending = Array.from({ length: 5 }, (_, i) => pool.runTask('report', i, { onProgress }))
  blockUntil(pool, 6)
  const results = await Promise.all(pending)
  stayAlive(t)
  await all
  process.removeAllListeners('uncaughtException')
  for (const listener of listeners) process.on('uncaughtException', listener)
  t.deepEqual(results, [0, 1, 2, 3, 4])
  t.is(uncaught.length, 10)
})
