'use strict'

const test = require('ava')
const { once } = require('node:events')
const { Pool } = require('..')
const { makePool, taskPool, directory, upTo } = require('./helpers')
const path = require('node:path')

/** The ids of the workers that come and go, and how many there are at a time. */
function watch(pool) {
  const seen = { created: 0, exited: 0, codes: [], least: Infinity }
  let there = 0
  pool.on('workerCreate', () => {
    there++
    seen.created++
  })
  pool.on('workerExit', ({ exitCode }) => {
    there--
    seen.exited++
    seen.codes.push(exitCode)
    seen.least = Math.min(seen.least, there)
  })
  return seen
}

test('workers are replaced after so many tasks, and none is missing meanwhile', async (t) => {
  const { pool } = taskPool(t, { minThreads: 2, maxThreads: 2, recycle: { tasks: 50 } })
  const seen = watch(pool)
  await pool.ready()
  const places = new Set()
  let calls = 0
  while (seen.exited < 4) {
    for (const place of await Promise.all(upTo(20).map(() => pool.runTask('where')))) places.add(place)
    calls += 20
    await new Promise(setImmediate)
  }
  t.true(places.size >= 5)
  t.true(calls >= 4 * 45)
  t.deepEqual(
    seen.codes,
    seen.codes.map(() => 0)
  )
  t.true(seen.least >= 2, `${seen.least} were left`)
  await pool.close()
  t.is(seen.created, seen.exited)
})

test('running and queued tasks are not harmed, with several at once in each worker', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 2, concurrentTasksPerWorker: 4, recycle: { tasks: 5 } })
  const exited = once(pool, 'workerExit')
  const results = await Promise.all(
    upTo(2000).map((i) => pool.runTask(i % 3 === 0 ? 'asyncSquare' : 'square', i, i % 7 === 0 ? { affinity: i } : {}))
  )
  t.deepEqual(
    results,
    upTo(2000).map((i) => i * i)
  )
  t.is((await exited)[0].exitCode, 0)
  t.is(pool.stats().failed, 0)
})

test('a busy worker that is worn ends its task first', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, recycle: { tasks: 1 } })
  const created = once(pool, 'workerCreate')
  await pool.run(1)
  await created
  const ready = once(pool, 'workerCreate')
  // Whichever of the two gets it.
  const running = pool.runTask('block')
  await gate.arrival(1)
  await ready
  gate.open()
  t.is(typeof (await running), 'number')
  t.is(await pool.run(5), 5)
})

test('an idle worker of an age is replaced', async (t) => {
  const { pool } = taskPool(t, { minThreads: 1, maxThreads: 1, recycle: { age: 30 } })
  await pool.ready()
  const before = await pool.runTask('where')
  await once(pool, 'workerExit')
  t.not(await pool.runTask('where'), before)
})

test('a worker whose heap has grown is replaced', async (t) => {
  const dir = directory(t, {
    'leaks.js': `const kept = []
      module.exports = (n) => kept.push(new Array(n).fill(1.5))`
  })
  const pool = makePool(t, { filename: path.join(dir, 'leaks.js'), maxThreads: 1, recycle: { heap: 40_000_000 } })
  const exit = once(pool, 'workerExit')
  let left = false
  exit.then(() => (left = true))
  let most = 0
  while (!left) {
    most = Math.max(most, await pool.run(100_000))
    await new Promise(setImmediate)
  }
  t.true(most > 10)
  // The new one has kept nothing yet.
  t.true((await pool.run(1)) < most)
})

test('a worker under which the process has grown is replaced', async (t) => {
  const dir = directory(t, {
    'grows.js': `const kept = []
      module.exports = (n) => kept.push(Buffer.alloc(n, 1))`
  })
  const pool = makePool(t, { filename: path.join(dir, 'grows.js'), maxThreads: 1, recycle: { rss: 1 } })
  let left = false
  pool.once('workerExit', () => (left = true))
  let calls = 0
  while (!left && calls < 1000) {
    await pool.run(4_000_000)
    calls++
    await new Promise(setImmediate)
  }
  t.true(left)
})

test('a pool that is resized and closed while it recycles settles all its tasks', async (t) => {
  const { pool } = taskPool(t, { minThreads: 0, maxThreads: 3, recycle: { tasks: 3, age: 20 } })
  const calls = []
  for (const size of [1, 3, 2, 1, 3]) {
    pool.resize({ maxThreads: size })
    calls.push(...upTo(100).map((i) => pool.run(i)))
    await calls[calls.length - 50]
  }
  await pool.close()
  t.is((await Promise.all(calls)).length, 500)
})

test('what recycle cannot be is refused with its place', (t) => {
  const refused = [
    [{ recycle: 5 }, /'recycle' must be an object, got 5/],
    [{ recycle: { tasks: 0 } }, /'recycle': 'tasks' must be an integer from 1 to 4294967294, got 0/],
    [{ recycle: { age: 0 } }, /'recycle': 'age' must be a number of milliseconds from 1 to 2147483647, got 0/],
    [{ recycle: { heap: '1' } }, /'recycle': 'heap' must be an integer/],
    [{ recycle: { rss: -1 } }, /'recycle': 'rss' must be an integer/],
    [{ recycle: { task: 1 } }, /unknown option 'task'. Did you mean 'tasks'\?/],
    [{ recycle: {}, isolate: true }, /'recycle' must not be given with 'isolate'/]
  ]
  for (const [options, message] of refused) {
    t.throws(() => new Pool(options), { code: 'ERR_RSPOOL_INVALID_ARGUMENT', message })
  }
})
