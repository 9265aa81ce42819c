'use strict'

const test = require('ava')
const { once } = require('node:events')
const { Pool } = require('..')
const { failure, makePool, program, taskPool, directory, stayAlive, upTo } = require('./helpers')
const fs = require('node:fs')
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
  // One that was not ready yet may end with the pool.
  t.true(seen.exited >= seen.created)
})

test('running and queued tasks are not harmed, with several at once in each worker', async (t) => {
  stayAlive(t)
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
  stayAlive(t)
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
  stayAlive(t)
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

/** A pool whose script can be written anew. */
function editable(t, options) {
  const dir = directory(t, { 'edited.js': "module.exports = () => 'first'" })
  const filename = path.join(dir, 'edited.js')
  const pool = makePool(t, { filename, minThreads: 2, maxThreads: 2, ...options })
  return { pool, edit: (text) => fs.writeFileSync(filename, text) }
}

test('recycle() replaces all isolates at once, and none is missing meanwhile', async (t) => {
  const { pool, edit } = editable(t)
  const seen = watch(pool)
  await pool.ready()
  t.is(await pool.run(), 'first')
  edit("module.exports = () => 'second'")
  let recycled = false
  const recycling = pool.recycle().then(() => (recycled = true))
  const calls = []
  while (!recycled) calls.push(await pool.run())
  await recycling
  t.deepEqual(await pool.broadcast(), ['second', 'second'])
  t.is(seen.codes.length, 2)
  t.true(seen.least >= 2, `${seen.least} were left`)
  t.is(pool.stats().failed, 0)
  t.true(calls.length > 0)
})

test('recycle() lets tasks end, and keeps the process until it has', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const before = await pool.runTask('where')
  const running = pool.runTask('block')
  await gate.arrival()
  let ended = false
  const recycling = pool.recycle().then(() => (ended = true))
  const other = pool.run(5)
  t.false(ended)
  gate.open()
  t.is(await running, before)
  t.is(await other, 5)
  await recycling
  t.not(await pool.runTask('where'), before)
  const { stdout } = await program(`
    const pool = new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 1 })
    pool.ready().then(() => pool.recycle()).then(() => console.log('recycled'))
  `)
  t.is(stdout, 'recycled\n')
})

test('recycle() of a script that is broken rejects, and the old isolates go on', async (t) => {
  const { pool, edit } = editable(t)
  await pool.ready()
  edit('module.exports = (')
  const error = await failure(pool.recycle())
  t.is(error.code, 'ERR_RSPOOL_WORKER_START')
  t.is(await pool.run(), 'first')
  edit("module.exports = () => 'mended'")
  // Once it is whole again all of them are replaced.
  stayAlive(t)
  while ((await pool.broadcast()).join() !== 'mended,mended') await new Promise(setImmediate)
  t.is(pool.stats().failed, 0)
})

test('recycle() of a pool without isolates, of one that ends, and of one that has ended', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  await pool.recycle()
  await pool.runTask(() => 1)
  const recycling = failure(pool.recycle())
  await pool.close()
  t.is((await recycling).code, 'ERR_RSPOOL_POOL_CLOSED')
  t.is((await failure(pool.recycle())).code, 'ERR_RSPOOL_POOL_CLOSED')
})

test('recycle() of a pool of isolates of one task has those replaced that wait for theirs', async (t) => {
  const { pool, edit } = editable(t, { isolate: true })
  await pool.ready()
  edit("module.exports = () => 'second'")
  await pool.recycle()
  t.deepEqual(await Promise.all([1, 2, 3].map(() => pool.run())), ['second', 'second', 'second'])
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
