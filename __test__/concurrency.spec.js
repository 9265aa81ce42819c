// biome-ignore-all lint/suspicious/noThenProperty: thenables are what is tested
'use strict'

const test = require('ava')
const { byPort } = require('./by-port')
const { fixture, makePool, taskPool } = require('./helpers')

test('a worker runs as many tasks at once as concurrentTasksPerWorker says, and no more', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, concurrentTasksPerWorker: 3 })
  const pending = Array.from({ length: 7 }, (_, n) => pool.runTask('pause', n))
  await gate.arrival(3)
  t.is(pool.stats().running, 3)
  t.is(pool.stats().queued, 4)
  gate.open()
  t.deepEqual(await Promise.all(pending), [0, 1, 2, 3, 4, 5, 6])
  t.is(gate.arrived, 7)
})

test('a task whose input a port carries leaves the other places of its idle worker to those behind it', async (t) => {
  t.timeout(60_000)
  const { pool, gate } = taskPool(t, { maxThreads: 1, concurrentTasksPerWorker: 3 })
  await pool.run(1)
  for (let round = 1; round <= 5; round++) {
    // One that still looks for a task itself is given none at once.
    for (let turns = 0; turns < 200; turns++) await new Promise(setImmediate)
    const pending = [pool.runTask('pause', byPort()), pool.runTask('pause', 2), pool.runTask('pause', byPort())]
    await gate.arrival(3 * round)
    gate.open()
    t.deepEqual(await Promise.all(pending), [byPort(), 2, byPort()])
    Atomics.store(gate.cells, 1, 0)
  }
})

test('by default a worker runs one asynchronous task at a time', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const most = async () => {
    globalThis.now = (globalThis.now ?? 0) + 1
    globalThis.most = Math.max(globalThis.most ?? 0, globalThis.now)
    await new Promise(setImmediate)
    globalThis.now--
    return globalThis.most
  }
  const results = await Promise.all(Array.from({ length: 10 }, () => pool.runTask(most)))
  t.is(Math.max(...results), 1)
})

test('each of several concurrent tasks gets its own result, in any order', async (t) => {
  const pool = makePool(t, { maxThreads: 2, concurrentTasksPerWorker: 16 })
  const echo = async (n) => {
    await require('node:timers/promises').setTimeout((n * 7) % 5)
    if (n % 10 === 3) throw new RangeError(`no ${n}`)
    return n
  }
  const settled = await Promise.allSettled(Array.from({ length: 300 }, (_, n) => pool.runTask(echo, n)))
  for (const [n, { status, value, reason }] of settled.entries()) {
    if (n % 10 === 3) t.is(reason?.message, `no ${n}`)
    else t.is(value, n, status)
  }
})

test('task.id and task.signal follow asynchronous code of concurrent tasks', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1, concurrentTasksPerWorker: 4 })
  const follow = async () => {
    const { task } = require('../lib/worker/api.js')
    const { id, signal } = task
    for (let i = 0; i < 5; i++) {
      await new Promise(setImmediate)
      if (task.id !== id || task.signal !== signal) return 'lost'
    }
    return id
  }
  // The first call of a pool tells that its script asks.
  await pool.runTask(follow)
  const ids = await Promise.all(Array.from({ length: 8 }, () => pool.runTask(follow)))
  t.true(ids.every((id) => typeof id === 'number'))
})

test('timers run between tasks that follow each other without a gap', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  await pool.runTask(() => {
    globalThis.ticks = 0
    globalThis.timer = setInterval(() => globalThis.ticks++, 1)
  })
  const spin = () => {
    const end = performance.now() + 1
    while (performance.now() < end);
    return globalThis.ticks
  }
  const ticks = await Promise.all(Array.from({ length: 200 }, () => pool.runTask(spin)))
  await pool.runTask(() => clearInterval(globalThis.timer))
  t.true(ticks.at(-1) > ticks[0], 'no timer ran in 200 ms of tasks')
})

test('timers run while the worker has nothing to do', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const message = new Promise((resolve) => pool.once('message', resolve))
  await pool.runTask(() => {
    setTimeout(() => require('node:worker_threads').parentPort.postMessage('from a timer'), 5)
  })
  t.is(await message, 'from a timer')
})

test('microtasks of a task run before the next task', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = pool.runTask('block')
  await gate.arrival()
  const first = () => {
    globalThis.order = ['task']
    Promise.resolve().then(() => globalThis.order.push('microtask'))
    queueMicrotask(() => globalThis.order.push('queued'))
    process.nextTick(() => globalThis.order.push('tick'))
  }
  const second = () => globalThis.order
  const pending = [pool.runTask(first), pool.runTask(second)]
  gate.open()
  await running
  const order = (await Promise.all(pending))[1]
  t.deepEqual(order.slice(0, 3), ['task', 'microtask', 'queued'])
})

test('a task may return any thenable', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  t.is(await pool.runTask(() => ({ then: (resolve) => resolve('resolved') })), 'resolved')
  await t.throwsAsync(
    pool.runTask(() => ({ then: (_, reject) => reject(new Error('rejected')) })),
    { message: 'rejected' }
  )
  await t.throwsAsync(
    pool.runTask(() => ({
      then() {
        throw new Error('thrown by then')
      }
    })),
    { message: 'thrown by then' }
  )
  await t.throwsAsync(
    pool.runTask(() => ({
      get then() {
        throw new Error('thrown by the getter')
      }
    })),
    { message: 'thrown by the getter' }
  )
  t.is(
    await pool.runTask(() => ({
      then(resolve, reject) {
        resolve('first')
        resolve('second')
        reject(new Error('third'))
      }
    })),
    'first'
  )
  t.is(await pool.runTask(() => 1), 1)
})

test('asynchronous and synchronous tasks mix', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 2, concurrentTasksPerWorker: 2 })
  const results = await Promise.all(
    Array.from({ length: 1000 }, (_, n) => pool.runTask(n % 2 ? 'asyncSquare' : 'square', n))
  )
  t.deepEqual(
    results,
    Array.from({ length: 1000 }, (_, n) => n * n)
  )
})

test('tasks whose function is looked up at the same time know which they are', async (t) => {
  const pool = makePool(t, { maxThreads: 1, concurrentTasksPerWorker: 2 })
  const filename = fixture('calls.js')
  const ids = await Promise.all([1, 2].map(() => pool.runTask({ filename, name: 'taskId' })))
  t.is(typeof ids[0], 'number')
  t.not(ids[0], ids[1])
})
