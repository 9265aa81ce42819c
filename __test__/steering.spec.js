'use strict'

const test = require('ava')
const { once } = require('node:events')
const { byPort } = require('./by-port')
const { fixture, makePool, taskPool } = require('./helpers')

test('resize refuses what cannot be, and changes nothing then', (t) => {
  const { pool } = taskPool(t, { minThreads: 1, maxThreads: 2 })
  for (const sizes of [{ maxThreads: 0 }, { minThreads: 3 }, { minThreads: 1.5 }, { size: 1 }, 3]) {
    t.throws(() => pool.resize(sizes), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
  }
  t.is(pool.options.maxThreads, 2)
})

test('a larger pool takes more tasks at once', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = [1, 2, 3].map(() => pool.runTask('block'))
  await gate.arrival(1)
  t.is(pool.stats().busy, 1)
  pool.resize({ maxThreads: 3 })
  await gate.arrival(3)
  t.is(pool.stats().busy, 3)
  gate.open()
  t.is(new Set(await Promise.all(running)).size, 3)
})

test('a smaller pool lets its workers end their tasks, and then has fewer', async (t) => {
  const { pool, gate } = taskPool(t, { minThreads: 3, maxThreads: 3 })
  const running = [1, 2, 3].map(() => pool.runTask('block'))
  await gate.arrival(3)
  const exits = new Promise((resolve) => {
    let count = 0
    pool.on('workerExit', () => ++count === 2 && resolve())
  })
  pool.resize({ minThreads: 1, maxThreads: 1 })
  gate.open()
  t.is((await Promise.all(running)).length, 3)
  await exits
  t.is(pool.stats().workers.length, 1)
  t.is(await pool.run(5), 5)
})

test('a paused pool takes calls and starts none, and goes on where it was', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  await pool.run(0)
  pool.pause()
  t.true(pool.paused)
  const order = []
  const waiting = [1, 2, 3].map((n) => pool.run(n).then((value) => order.push(value)))
  await new Promise(setImmediate)
  t.is(pool.stats().queued, 3)
  pool.resume()
  await Promise.all(waiting)
  t.deepEqual(order, [1, 2, 3])
})

test('closing a paused pool ends what waits first', async (t) => {
  const { pool } = taskPool(t)
  pool.pause()
  const waiting = pool.run('last')
  await pool.close()
  t.is(await waiting, 'last')
})

test('cancelQueued rejects what waits and leaves what runs', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = pool.runTask('block')
  await gate.arrival(1)
  const waiting = [1, 2].map((n) => pool.run(n))
  const native = pool.runTask('hash.crc32', 'abc')
  t.is(pool.cancelQueued(), 3)
  for (const promise of [...waiting, native]) await t.throwsAsync(promise, { name: 'AbortError', code: 'ABORT_ERR' })
  gate.open()
  await t.notThrowsAsync(running)
  t.is(pool.cancelQueued(), 0)
})

test('a deadline ends a task whether it waits or runs', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  await pool.run(0)
  const running = pool.run(0, { name: 'never', deadline: new Date(Date.now() + 5000) })
  await gate.arrival(1)
  const waiting = pool.run(1, { deadline: Date.now() + 10 })
  await t.throwsAsync(waiting, { code: 'ERR_RSPOOL_DEADLINE' })
  await t.throwsAsync(running, { code: 'ERR_RSPOOL_DEADLINE' })
  await t.throwsAsync(pool.run(2, { deadline: 'tomorrow' }), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
  t.is(await pool.run(3, { deadline: Date.now() + 60_000 }), 3)
})

test('the earliest deadline runs first', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  await pool.run(0)
  pool.pause()
  const order = []
  // Less than what a deadline is worth at most.
  const at = Date.now() + 9000
  const run = (value, options) => pool.run(value, options).then(() => order.push(value))
  const all = [
    run('none'),
    run('late', { deadline: at + 200 }),
    run('soon', { deadline: at }),
    run('urgent', { priority: -20 })
  ]
  pool.resume()
  await Promise.all(all)
  t.deepEqual(order, ['urgent', 'soon', 'late', 'none'])
})

test('a task whose worker dies starts again as often as it may', async (t) => {
  const tries = new Int32Array(new SharedArrayBuffer(4))
  const pool = makePool(t, { filename: fixture('dies.js'), maxThreads: 1, workerData: tries })
  t.deepEqual(await pool.run({ deaths: 2, value: 'plain' }, { retries: 2 }), 'plain')
  t.is(tries[0], 3)
  tries[0] = 0
  const error = await t.throwsAsync(pool.run({ deaths: 9 }, { retries: 1 }), { code: 'ERR_RSPOOL_WORKER_EXIT' })
  t.is(error.attempts, 2)
  tries[0] = 0
  // An input that only a port can carry.
  class Input {
    deaths = 1
    value = 'by port'
    shared = byPort()
  }
  t.is(await pool.run(new Input(), { retries: 1 }), 'by port')
  // What the task itself throws is its outcome.
  tries[0] = 0
  await t.throwsAsync(pool.run({ deaths: 0, fails: true }, { retries: 5 }), { message: 'as it should' })
  t.is(tries[0], 1)
})

test('ready waits for the workers of the minimum, and says why there are none', async (t) => {
  const { pool } = taskPool(t, { minThreads: 2, maxThreads: 2 })
  await pool.ready()
  t.is(pool.stats().idle, 2)
  const broken = makePool(t, { filename: fixture('no-such-file.js') })
  await t.throwsAsync(broken.ready(), { code: 'ERR_RSPOOL_WORKER_START' })
  await pool.close()
  await t.throwsAsync(pool.ready(), { code: 'ERR_RSPOOL_POOL_CLOSED' })
})

test('needsDrain is true while tasks wait, until drain', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const first = pool.runTask('block')
  t.false(pool.needsDrain)
  const second = pool.run(1)
  t.true(pool.needsDrain)
  const drained = once(pool, 'drain')
  gate.open()
  await drained
  t.false(pool.needsDrain)
  await Promise.all([first, second])
})

test('size counts the workers of both lanes that have started', async (t) => {
  const { pool } = taskPool(t, { minThreads: 2, maxThreads: 2 })
  t.is(pool.size, 0)
  await pool.ready()
  t.is(pool.size, 2)
  await pool.runTask('hash.crc32', 'x')
  t.is(pool.size, 3)
  await pool.close()
  t.is(pool.size, 0)
})
