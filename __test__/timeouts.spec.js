'use strict'

const test = require('ava')
const { byPort } = require('./by-port')
const { makePool, taskPool, outcomes } = require('./helpers')

const TASK_TIMEOUT = 'ERR_RSPOOL_TASK_TIMEOUT'
const DEADLINE = 'ERR_RSPOOL_DEADLINE'
const QUEUE_TIMEOUT = 'ERR_RSPOOL_QUEUE_TIMEOUT'

test('a task that runs longer than its timeout rejects, and the pool works on', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1, abortGrace: 10 })
  for (const name of ['never', 'loop']) {
    await t.throwsAsync(pool.runTask(name, null, { timeout: 20 }), { code: TASK_TIMEOUT, name: 'TaskTimeoutError' })
    t.is(await pool.run(1), 1)
  }
})

test('a native task that runs longer than its timeout rejects, and the pool works on', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  await t.throwsAsync(pool.runTask('math.countPrimes', 2 ** 53 - 1, { timeout: 10 }), { code: TASK_TIMEOUT })
  t.is(await pool.runTask('math.countPrimes', 10), 4)
})

test('the waiting time does not count as running time', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = pool.runTask('block')
  await gate.arrival()
  const queued = pool.run(5, { timeout: 1000 })
  const timer = pool.run(1, { queueTimeout: 20 })
  await t.throwsAsync(timer, { code: QUEUE_TIMEOUT })
  gate.open()
  t.is(await queued, 5)
  await running
})

test('a task that waits longer than its queueTimeout rejects and does not run', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = pool.runTask('block')
  await gate.arrival()
  const late = [
    pool.runTask('pause', 1, { queueTimeout: 5 }),
    pool.runTask('hash.crc32', 'a', { queueTimeout: 5 }),
    pool.run(byPort(), { queueTimeout: 5 })
  ]
  for (const promise of late) await t.throwsAsync(promise, { code: QUEUE_TIMEOUT, name: 'QueueTimeoutError' })
  t.is(pool.stats().queued, 0)
  gate.open()
  await running
  t.is(await pool.run(1), 1)
  t.is(gate.arrived, 1)
})

test('a queueTimeout counts while the worker starts too', async (t) => {
  const pool = makePool(t, {
    filename: 'data:text/javascript,await new Promise(() => setTimeout(() => {}, 60_000))\nexport default () => 1',
    maxThreads: 1
  })
  await t.throwsAsync(pool.run(1, { queueTimeout: 20 }), { code: QUEUE_TIMEOUT })
})

test('a task whose input needs a port is held to its limits, on a worker that is idle or still starts', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1, minThreads: 1, abortGrace: 10 })
  const shared = new Int32Array(new SharedArrayBuffer(4))
  for (const ready of [false, true]) {
    if (ready) await pool.run(1)
    const late = pool.run(shared, { name: 'never', timeout: 20 })
    await t.throwsAsync(late, { code: TASK_TIMEOUT })
    await pool.run(1)
    await t.throwsAsync(pool.run(shared, { name: 'never', deadline: Date.now() + 20 }), { code: DEADLINE })
  }
})

test('a task that ends in time is not touched by its limits', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 2 })
  const limits = { timeout: 60_000, queueTimeout: 60_000 }
  const promises = Array.from({ length: 500 }, (_, n) => pool.run(n, limits))
  t.deepEqual(
    await Promise.all(promises),
    Array.from({ length: 500 }, (_, n) => n)
  )
})

test('Infinity, and more than a timer can take, is no limit', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1, timeout: Infinity, queueTimeout: 2 ** 40 })
  t.is(await pool.run(1), 1)
  t.is(await pool.run(1, { timeout: 2 ** 31, queueTimeout: Infinity }), 1)
  t.is(await pool.runTask('hash.crc32', '', { timeout: Number.MAX_VALUE }), 0)
})

test('a fraction of a millisecond is a limit', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1, abortGrace: 0 })
  await t.throwsAsync(pool.runTask('never', null, { timeout: 0.5 }), { code: TASK_TIMEOUT })
})

test('the limits of the pool hold for every task, and those of a task come first', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, timeout: 20, abortGrace: 0 })
  await t.throwsAsync(pool.runTask('never'), { code: TASK_TIMEOUT })
  const before = gate.arrived
  const longer = pool.runTask('pause', 1, { timeout: 60_000 })
  await gate.arrival(before + 1)
  gate.open()
  t.is(await longer, 1)
})

test('many tasks with different limits each meet their own', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = pool.runTask('block')
  await gate.arrival()
  const some = Array.from({ length: 300 }, (_, n) => pool.run(n, { queueTimeout: n % 2 ? 1 + (n % 40) : 600_000 }))
  const late = outcomes(some.filter((_, n) => n % 2 === 1))
  t.deepEqual(await late, new Array(150).fill(QUEUE_TIMEOUT))
  gate.open()
  t.deepEqual(
    await Promise.all(some.filter((_, n) => n % 2 === 0)),
    Array.from({ length: 150 }, (_, n) => 2 * n)
  )
  await running
})

test('a task beside one that ran out of time, in the same worker, rejects as that worker ends', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, concurrentTasksPerWorker: 2, abortGrace: 0 })
  const beside = pool.runTask('pause', 1)
  await gate.arrival()
  await t.throwsAsync(pool.runTask('never', null, { timeout: 20 }), { code: TASK_TIMEOUT })
  gate.open()
  const [outcome] = await outcomes([beside])
  t.true(['ok', 'ERR_RSPOOL_WORKER_EXIT'].includes(outcome), outcome)
  t.is(await pool.run(1), 1)
})

test('a deadline that is over is one all the same: what waits or runs with it rejects', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, abortGrace: 60_000 })
  const running = pool.runTask('block')
  await gate.arrival()
  for (const deadline of [Date.now() - 1, Date.now() - 60_000, 0]) {
    const waiting = [
      pool.run('late', { deadline }),
      pool.run(byPort(), { deadline }),
      pool.runTask('hash.crc32', 'late', { deadline }),
      pool.runTask((n) => n, 1, { deadline })
    ]
    t.deepEqual(await outcomes(waiting), [DEADLINE, DEADLINE, DEADLINE, DEADLINE])
    t.throws(() => pool.runSync('late', { deadline }), { code: DEADLINE })
  }
  gate.open()
  await running
  await t.throwsAsync(pool.runTask('loopUntilAborted', null, { deadline: Date.now() - 1 }), { code: DEADLINE })
  await t.throwsAsync(pool.runTask('math.countPrimes', 2 ** 53 - 1, { deadline: 0 }), { code: DEADLINE })
  t.is(await pool.run('in time', { deadline: Date.now() + 60_000 }), 'in time')
})
