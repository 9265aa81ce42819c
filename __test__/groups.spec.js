'use strict'

const test = require('ava')
const { Pool } = require('..')
const { taskPool, failure, outcomes, upTo } = require('./helpers')

/** Calls that wait until they are let go, and the order in which they then end. */
async function inOrder(pool, calls) {
  const order = []
  pool.pause()
  const all = calls.map(([label, options]) => pool.run(label, options).then((value) => order.push(value)))
  pool.resume()
  await Promise.all(all)
  return order
}

test('a group that has queued much does not hold up the others', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  await pool.ready()
  const batch = upTo(300).map(() => ['batch', { group: 'batch' }])
  const single = upTo(10).map(() => ['single', { group: 'single' }])
  const plain = upTo(10).map(() => ['plain', {}])
  const order = await inOrder(pool, [...batch, ...single, ...plain])
  t.is(order.length, 320)
  // The time of a task is measured, so how many of the others come in between is not exact.
  t.true(order.lastIndexOf('single') < 320 - 100, `${order.lastIndexOf('single')}`)
  t.true(order.lastIndexOf('plain') < 320 - 100, `${order.lastIndexOf('plain')}`)
})

test('priority and affinity hold inside a group', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  await pool.ready()
  const order = await inOrder(pool, [
    [0, { group: 'a', affinity: 1 }],
    [2, { group: 'a', affinity: 1 }],
    [1, { group: 'a', affinity: 1, priority: -1 }]
  ])
  t.deepEqual(order, [1, 0, 2])
})

test('maxRunning limits a group, and nobody else', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 4, groups: { narrow: { maxRunning: 2 } } })
  const narrow = upTo(5).map(() => pool.run(undefined, { name: 'block', group: 'narrow' }))
  await gate.arrival(2)
  const others = [pool.run(1), pool.run(2, { group: 'other' }), pool.runTask('hash.crc32', 'x')]
  await Promise.all(others)
  t.is(gate.arrived, 2)
  t.is(pool.stats().running, 2)
  t.is(pool.stats().queued, 3)
  gate.open()
  await Promise.all(narrow)
  t.is(gate.arrived, 5)
})

test('maxRunning counts both lanes', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 3, groups: { one: { maxRunning: 1 } } })
  const running = pool.run(undefined, { name: 'block', group: 'one' })
  await gate.arrival(1)
  const native = pool.runTask('hash.crc32', 'x', { group: 'one' })
  t.is(await pool.runTask('hash.crc32', 'x'), await pool.runTask('hash.crc32', 'x', { group: 'another' }))
  t.is(pool.stats().queued, 1)
  gate.open()
  await running
  t.is(typeof (await native), 'number')
})

test('tasks of a group are given up, time out, and end with the pool as any', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, groups: { one: { maxRunning: 1 } } })
  const running = pool.run(undefined, { name: 'block', group: 'one' })
  await gate.arrival(1)
  const controller = new AbortController()
  const waiting = outcomes([
    pool.run(1, { group: 'one', signal: controller.signal }),
    pool.run(2, { group: 'one', queueTimeout: 5 }),
    pool.run(3, { group: 'two', queueTimeout: 5 })
  ])
  controller.abort()
  t.deepEqual(await waiting, ['ABORT_ERR', 'ERR_RSPOOL_QUEUE_TIMEOUT', 'ERR_RSPOOL_QUEUE_TIMEOUT'])
  const last = outcomes(upTo(3).map((i) => pool.run(i, { group: 'one' })))
  t.is(pool.cancelQueued(), 3)
  t.deepEqual(await last, ['ABORT_ERR', 'ABORT_ERR', 'ABORT_ERR'])
  gate.open()
  await running
  t.is(await pool.run(9, { group: 'one' }), 9)
})

test('a task of a group whose worker dies starts again', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1, groups: { one: { maxRunning: 1 } } })
  const error = await failure(pool.run(1, { name: 'exits', group: 'one', retries: 2 }))
  t.is(error.code, 'ERR_RSPOOL_WORKER_EXIT')
  t.is(error.attempts, 3)
  t.is(await pool.run(9, { group: 'one' }), 9)
})

test('groups reach mappings, streams, and inputs that a port carries', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 2, groups: { one: { maxRunning: 1 } } })
  const got = []
  for await (const value of pool.map(upTo(20), 'square', { group: 'one' })) got.push(value)
  t.deepEqual(
    got,
    upTo(20).map((n) => n * n)
  )
  const items = []
  for await (const item of pool.stream((n) => [n, n + 1], [1], { group: 'one' })) items.push(item)
  t.deepEqual(items, [1, 2])
  t.is((await pool.run(new SharedArrayBuffer(8), { group: 'one' })).byteLength, 8)
})

test('a thousand groups end all their tasks, of both lanes', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 2 })
  const calls = []
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 1000; i++) {
      const group = `tenant ${i}`
      calls.push(i % 10 === 0 ? pool.runTask('hash.crc32', 'x', { group }) : pool.run(i, { group }))
    }
  }
  const results = await Promise.all(calls)
  t.is(results.length, 20_000)
  t.is(results[19_999], 999)
  t.is(pool.stats().queued, 0)
})

test('what groups cannot be is refused with its place', async (t) => {
  const refused = [
    [{ groups: 3 }, /'groups' must be an object, got 3/],
    [{ groups: { a: { weight: 0 } } }, /'groups': 'a': 'weight' must be a number from 0.001 to 1000000, got 0/],
    [{ groups: { a: { maxRunning: 0 } } }, /'groups': 'a': 'maxRunning' must be an integer from 1 to/],
    [{ groups: { a: { weigth: 1 } } }, /unknown option 'weigth'. Did you mean 'weight'\?/],
    [{ groups: { '': {} } }, /must be a string that is not empty/]
  ]
  for (const [options, message] of refused) {
    t.throws(() => new Pool(options), { code: 'ERR_RSPOOL_INVALID_ARGUMENT', message })
  }
  const { pool } = taskPool(t)
  for (const group of ['', 7, null, {}]) {
    t.is((await failure(pool.run(1, { group }))).code, 'ERR_RSPOOL_INVALID_ARGUMENT')
  }
  t.is((await failure(pool.runTask('hash.crc32', 'x', { group: 1 }))).code, 'ERR_RSPOOL_INVALID_ARGUMENT')
})
