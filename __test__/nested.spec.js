'use strict'

// Tasks that have their own pool run others: no place is kept by one that waits, and none outlives its caller.

const test = require('ava')
const { byPort } = require('./by-port')
const { drain } = require('../lib/native/drain')
const { failure, familyPool, fixture, program, rspool } = require('./helpers')

/** Until nothing waits or runs. */
async function quiet(pool) {
  while (pool.stats().queued + pool.stats().running > 0) await new Promise(setImmediate)
}

for (const maxThreads of [1, 2, 4]) {
  test(`a recursion of thousands of calls ends on ${maxThreads} workers`, async (t) => {
    const { pool } = familyPool(t, { maxThreads })
    t.is(await pool.runTask('fib', 15), 610)
    t.deepEqual(await Promise.all([9, 10, 11].map((n) => pool.runTask('fib', n))), [34, 55, 89])
    const { running, queued, busy, failed } = pool.stats()
    t.deepEqual({ running, queued, busy, failed }, { running: 0, queued: 0, busy: 0, failed: 0 })
  })
}

test('a recursion ends in a group that may run one task at a time', async (t) => {
  const { pool } = familyPool(t, { groups: { family: { maxRunning: 1 } } })
  t.is(await pool.runTask('fibInGroup', 9, { group: 'family' }), 34)
})

test('a chain of 300 calls, one in the other, ends on one isolate', async (t) => {
  const { pool } = familyPool(t)
  const threads = await pool.runTask('chain', 300)
  t.is(threads.length, 301)
  t.is(new Set(threads).size, 1)
})

for (const concurrentTasksPerWorker of [1, 4]) {
  test(`a task stays itself between its calls, of ${concurrentTasksPerWorker} at once`, async (t) => {
    const { pool } = familyPool(t, { concurrentTasksPerWorker })
    const all = await Promise.all(Array.from({ length: 10 }, () => pool.runTask('inTurn', 5)))
    for (const ids of all) t.deepEqual(ids, Array(6).fill(ids[0]))
    t.is(new Set(all.map(([id]) => id)).size, 10)
  })
}

test('every kind of task, value and way of a value', async (t) => {
  const { pool } = familyPool(t)
  t.is(await pool.runTask('inline'), 3)
  t.is(await pool.runTask('other', fixture('tasks.js')), 81)
  t.deepEqual(await pool.runTask('digest', ''), [
    true,
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  ])
  t.deepEqual(await pool.runTask('moves'), [8, 0])
  t.deepEqual(await pool.runTask('shares'), byPort())
  t.deepEqual(await pool.runTask('askOwn', [{ own: 1 }]), { own: 1 })
  t.is(await pool.runTask('ask', ['hash.crc32', 'text', { params: { value: 0 } }]), 999008199)
})

test('native and script tasks take turns in the one place', async (t) => {
  const { pool } = familyPool(t)
  const results = await Promise.all(Array.from({ length: 50 }, () => pool.runTask('digest', 'x')))
  t.is(new Set(results.map(([, hex]) => hex)).size, 1)
})

test('errors come whole, through both calls', async (t) => {
  const { pool } = familyPool(t)
  const error = await failure(pool.runTask('ask', ['throws']))
  t.true(error instanceof RangeError)
  t.is(error.code, 'E_RANGE')
  t.is(error.detail, 7)
  t.is(error.cause.message, 'the cause')
  t.regex(error.stack, /family\.js/)
  t.is((await failure(pool.runTask('ask', ['missing']))).code, 'ERR_RSPOOL_UNKNOWN_TASK')
  t.is((await failure(pool.runTask('ask', ['no.such']))).code, 'ERR_RSPOOL_UNKNOWN_TASK')
  t.is((await failure(pool.runTask('ask', ['waits', null, { timeout: 5 }]))).code, 'ERR_RSPOOL_TASK_TIMEOUT')
  const late = await failure(pool.runTask('ask', ['waits', null, { deadline: Date.now() + 5 }]))
  t.true(late instanceof rspool.errors.DeadlineError)
  t.is((await failure(pool.runTask('ask', ['hash.sha256', 5]))).code, 'ERR_RSPOOL_INVALID_ARGUMENT')
})

test('bad calls reject in the task', async (t) => {
  const { pool } = familyPool(t)
  t.regex(await pool.runTask('bad', { timeot: 1 }), /^ERR_RSPOOL_INVALID_ARGUMENT .*timeout/)
  t.regex(await pool.runTask('bad', 7), /^ERR_RSPOOL_INVALID_ARGUMENT/)
  t.is((await failure(pool.runTask('ask', [{}, 1, {}]))).code, 'ERR_RSPOOL_INVALID_ARGUMENT')
})

test('a call outside of any task rejects', async (t) => {
  const { pool } = familyPool(t, { workerData: { callAtStart: true } })
  await pool.ready()
  t.is(await pool.runTask('outside'), 'ERR_RSPOOL_NO_TASK')
})

test('a nested call is given up by its own signal', async (t) => {
  const { pool } = familyPool(t)
  for (const when of ['before', 'at once', 'later'])
    t.deepEqual(await pool.runTask('aborts', when), ['ABORT_ERR', 'enough'], when)
  await quiet(pool)
  t.is(await pool.run('works on'), 'works on')
})

test('nested calls end with the task that made them: aborted, timed out or returned', async (t) => {
  const { pool, gate } = familyPool(t, { maxThreads: 2, abortGrace: 0 })
  const controller = new AbortController()
  const outer = pool.runTask('ask', ['loop'], { signal: controller.signal })
  await gate.arrival()
  controller.abort()
  t.is((await failure(outer)).code, 'ABORT_ERR')
  await quiet(pool)
  t.is((await failure(pool.runTask('ask', ['never'], { timeout: 20 }))).code, 'ERR_RSPOOL_TASK_TIMEOUT')
  await quiet(pool)
  t.is(await pool.runTask('leaves', 'never'), 'left')
  await quiet(pool)
  t.is(await pool.run('works on'), 'works on')
})

test('a worker that dies takes along what its tasks waited for, on other workers too', async (t) => {
  const { pool, gate } = familyPool(t, { maxThreads: 2, abortGrace: 0 })
  const error = await failure(pool.runTask('dies'))
  t.is(error.code, 'ERR_RSPOOL_WORKER_EXIT')
  await quiet(pool)
  t.is(gate.arrived, 1)
  t.is((await failure(pool.runTask('dies', null, { retries: 1 }))).attempts, 2)
  await quiet(pool)
  t.is((await failure(pool.runTask('ask', ['exits', 3]))).exitCode, 3)
  t.is(await pool.runTask('fib', 5), 5)
})

test('what has begun goes before what has not', async (t) => {
  const { pool } = familyPool(t)
  await pool.ready()
  // Each that waits makes room for another: without an order among them all would be open.
  const most = await Promise.all(Array.from({ length: 2000 }, () => pool.runTask('countsRunning')))
  t.true(Math.max(...most) < 1000, `${Math.max(...most)} at once`)
})

test('a nested call has at least the priority of its caller', async (t) => {
  const { pool } = familyPool(t)
  await pool.ready()
  const order = new Int32Array(new SharedArrayBuffer(4 * 8))
  await Promise.all([
    pool.runTask('steps', [order, 1, 2], { priority: 5 }),
    pool.runTask('steps', [order, 3], { priority: 5 }),
    pool.runTask('steps', [order, 4], { priority: 5 })
  ])
  const ran = [...order.slice(1, 5)]
  t.is(ran[0], 1)
  t.true(ran.indexOf(2) < 3, ran.join())
})

test('a nested call is taken where the queue is full', async (t) => {
  const { pool } = familyPool(t, { maxQueue: 0 })
  t.is(await pool.runTask('fib', 8), 21)
})

test('a pool that closes lets its tasks have others run; one that is destroyed does not', async (t) => {
  const { pool } = familyPool(t)
  const result = pool.runTask('fib', 10)
  await pool.close()
  t.is(await result, 55)
  const { pool: other, gate } = familyPool(t)
  const rejected = failure(other.runTask('ask', ['never']))
  await gate.arrival()
  await other.destroy()
  t.is((await rejected).code, 'ERR_RSPOOL_POOL_CLOSED')
})

test('works with several tasks at once in an isolate, within map and stream, and while the owner is blocked', async (t) => {
  const { pool } = familyPool(t, { concurrentTasksPerWorker: 3 })
  t.is(await pool.runTask('fib', 10), 55)
  const settled = await pool.settled([5, 6, 7], 'fib')
  t.deepEqual(
    settled.map(({ value }) => value),
    [5, 8, 13]
  )
  t.is(pool.runTaskSync('fib', 10), 55)
  t.is(pool.runTaskSync('digest', '')[0], true)
  const items = []
  for await (const item of pool.stream(async function* () {
    const { runTask } = require('../lib/worker/api')
    yield await runTask('square', 3)
    yield await runTask('hash.crc32', 'text')
  }, []))
    items.push(item)
  t.deepEqual(items, [9, 999008199])
})

test('calls that come in together with results harm none of them', async (t) => {
  const { pool, gate } = familyPool(t)
  await pool.ready()
  const texts = Array.from({ length: 40 }, (_, i) => `text ${i} `.repeat(9))
  const results = texts.map((text) => pool.runTask('echoes', text, { onProgress() {} }))
  for (let count; (count = gate.arrived) < texts.length; ) Atomics.wait(gate.cells, 0, count)
  // What the loop does when it comes to the results before it comes to the calls.
  drain()
  t.deepEqual(await Promise.all(results), texts)
})

test('a process ends in the middle of it', async (t) => {
  const { code, stdout } = await program(`
    const gate = new Int32Array(new SharedArrayBuffer(8))
    const pool = new rspool.Pool({ filename: fixture('family.js'), maxThreads: 2, workerData: { gate } })
    pool.runTask('fib', 14).catch(() => {})
    pool.runTask('fib', 5).then((n) => { console.log(n); process.exit(4) })`)
  t.deepEqual([code, stdout], [4, '5\n'])
})

test('works where isolates are replaced: after each task, and after some', async (t) => {
  const { pool: fresh } = familyPool(t, { recycle: { tasks: 1 } })
  t.is(await fresh.runTask('fib', 6), 8)
  const { pool: worn } = familyPool(t, { maxThreads: 2, recycle: { tasks: 5 } })
  t.is(await worn.runTask('fib', 10), 55)
  const { pool: isolated } = familyPool(t, { isolate: true })
  t.is(await isolated.runTask('fib', 5), 5)
})

test('a task that runs in the place of the one that waits for it hears that it is given up', async (t) => {
  for (const depth of [1, 2, 3]) {
    const { pool, gate } = familyPool(t, { maxThreads: 1, abortGrace: 60_000 })
    const controller = new AbortController()
    // Each waits for the next; the last loops, and only its signal ends it.
    let [name, input] = ['loopsUntilAborted', null]
    for (let n = 0; n < depth; n++) [name, input] = ['ask', [name, input]]
    const outer = failure(pool.runTask(name, input, { signal: controller.signal }))
    await gate.arrival()
    controller.abort()
    t.is((await outer).code, 'ABORT_ERR')
    t.is(await pool.run('the isolate is free again'), 'the isolate is free again')
  }
})
