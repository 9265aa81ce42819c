'use strict'

const test = require('ava')
const path = require('node:path')
const { once } = require('node:events')
const { Pool } = require('..')
const { makePool, taskPool, directory, failure, outcomes, stayAlive, tally, upTo } = require('./helpers')

test('with isolate each task has a worker of its own', async (t) => {
  const dir = directory(t, {
    'counts.js': `let calls = 0
      module.exports = async () => [++calls, require('node:worker_threads').threadId]`
  })
  const pool = makePool(t, { filename: path.join(dir, 'counts.js'), maxThreads: 2, isolate: true })
  const results = [await pool.run(), await pool.run(), ...(await Promise.all(upTo(6).map(() => pool.run())))]
  t.deepEqual(tally(results.map(([calls]) => calls)), { 1: 8 })
  t.is(new Set(results.map(([, id]) => id)).size, 8)
  await pool.close()
})

test('the next worker gets ready while one runs', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, isolate: true })
  await pool.ready()
  const next = once(pool, 'workerCreate')
  const running = pool.runTask('block')
  await gate.arrival(1)
  await next
  const waiting = pool.runTask('where')
  t.is(pool.stats().busy, 1)
  t.is(pool.stats().queued, 1)
  gate.open()
  t.not(await waiting, await running)
})

test('tasks that fail, die, or are given up leave an isolating pool working', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 2, isolate: true, abortGrace: 1 })
  const controller = new AbortController()
  const calls = [
    pool.runTask('throws'),
    pool.runTask('exits', 3),
    pool.run(undefined, { name: 'loop', signal: controller.signal }),
    pool.run(undefined, { name: 'never', timeout: 20 }),
    pool.run(1, { name: 'exits', retries: 1 })
  ]
  gate.arrival(1).then(() => controller.abort())
  t.deepEqual(await outcomes(calls), [
    'E_RANGE',
    'ERR_RSPOOL_WORKER_EXIT',
    'ABORT_ERR',
    'ERR_RSPOOL_TASK_TIMEOUT',
    'ERR_RSPOOL_WORKER_EXIT'
  ])
  t.is(await pool.run(5), 5)
  t.is(typeof (await pool.runTask('hash.crc32', 'x')), 'number')
})

test('an isolate that something of its script keeps is ended all the same', async (t) => {
  stayAlive(t)
  const dir = directory(t, { 'keeps.js': 'setInterval(() => {}, 1000); module.exports = (n) => n' })
  const pool = makePool(t, { filename: path.join(dir, 'keeps.js'), maxThreads: 1, isolate: true })
  const exited = once(pool, 'workerExit')
  t.is(await pool.run(1), 1)
  await exited
  t.is(await pool.run(2), 2)
})

test('a teardown that never ends does not keep its worker', async (t) => {
  const dir = directory(t, {
    'stays.js': `module.exports = (n) => n
      module.exports.teardown = () => new Promise((resolve) => setInterval(() => {}, 1000))`
  })
  const filename = path.join(dir, 'stays.js')
  const pool = makePool(t, { filename, maxThreads: 1, isolate: true, startTimeout: 5000 })
  stayAlive(t)
  const exited = once(pool, 'workerExit')
  t.is(await pool.run(1), 1)
  await exited
  t.is(await pool.run(2), 2)
})

test('isolate does not go with several tasks at once', (t) => {
  t.throws(() => new Pool({ isolate: true, concurrentTasksPerWorker: 2 }), {
    code: 'ERR_RSPOOL_INVALID_ARGUMENT',
    message: /'concurrentTasksPerWorker' must be 1 with 'isolate', got 2/
  })
  t.throws(() => new Pool({ isolate: 'yes' }), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
})

test('a script that never gets ready rejects what waits, after startTimeout', async (t) => {
  for (const script of ['for (;;);', 'export const setup = () => new Promise(() => setInterval(() => {}, 1000))']) {
    const filename = `data:text/javascript,${encodeURIComponent(script)}`
    const pool = makePool(t, { filename, maxThreads: 1, startTimeout: 200 })
    const ready = failure(pool.ready())
    const error = await failure(pool.run(1))
    t.is(error.code, 'ERR_RSPOOL_WORKER_START')
    t.regex(error.message, /after 200 ms, its 'startTimeout'/)
    t.is((await ready).code, 'ERR_RSPOOL_WORKER_START')
    await pool.destroy()
  }
  t.throws(() => new Pool({ startTimeout: 0 }), {
    code: 'ERR_RSPOOL_INVALID_ARGUMENT',
    message: /'startTimeout' must be a number of milliseconds above 0, or Infinity, got 0/
  })
  const { pool } = taskPool(t, { startTimeout: Infinity })
  t.is(await pool.run(1), 1)
})

test('setup and teardown are no tasks', async (t) => {
  const script = 'export const setup = () => {}, teardown = () => {}; export default (n) => n'
  const pool = makePool(t, { filename: `data:text/javascript,${encodeURIComponent(script)}` })
  for (const name of ['setup', 'teardown']) {
    const calls = [pool.run(1, { name }), pool.runTask(name), pool.exports()[name](1), pool.broadcast(name)]
    for (const call of calls) {
      const error = await failure(call)
      t.is(error.code, 'ERR_RSPOOL_UNKNOWN_TASK')
      t.regex(error.message, /is no task: the pool calls the export of this name itself/)
    }
    t.throws(() => new Pool({ name }), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
  }
  t.is(await pool.run(1), 1)
})
