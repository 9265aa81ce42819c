'use strict'

// An input that only a port can carry is cloned at the call, and serialised once more when a worker asks for
// it. What cannot be serialised a second time rejects its own call, and nothing else notices.

const { MessageChannel } = require('node:worker_threads')
const test = require('ava')
const { byPort } = require('./by-port')
const { failure, taskPool } = require('./helpers')

/** How a call ends, as one word. @param {Promise<any>} promise */
const how = (promise) =>
  promise.then(
    () => 'ok',
    (error) => error?.name ?? 'something else'
  )

async function worksOn(t, pool) {
  t.is(await pool.run('works on'), 'works on')
  t.deepEqual(await pool.run(byPort()), byPort())
  t.is(pool.runSync(7), 7)
}

test('a port that was closed while its task waited rejects that task', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = pool.runTask('block')
  await gate.arrival()
  const { port1, port2 } = new MessageChannel()
  const waiting = how(pool.runTask('where', port2, { transferList: [port2] }))
  const behind = pool.run('behind')
  port1.close()
  gate.open()
  await running
  // The port arrives closed, or cannot be sent at all.
  t.true(['ok', 'DataCloneError'].includes(await waiting))
  t.is(await behind, 'behind')
  await worksOn(t, pool)
})

test('inputs of any depth are given back or refused, each by itself', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = pool.runTask('block')
  await gate.arrival()
  const depths = Array.from({ length: 90 }, (_, n) => 100 + n * 50)
  const nested = (depth) => JSON.parse('['.repeat(depth) + ']'.repeat(depth))
  const ends = depths.map((depth) => how(pool.run(nested(depth))))
  const between = depths.map((depth) => pool.run(depth))
  gate.open()
  await running
  for (const end of await Promise.all(ends)) t.true(['ok', 'RangeError', 'DataCloneError'].includes(end), end)
  t.deepEqual(await Promise.all(between), depths)
  await worksOn(t, pool)
})

test('what only a port carries cannot be kept for a second attempt if it is itself a port', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const { port1, port2 } = new MessageChannel()
  t.teardown(() => port1.close())
  const error = await failure(pool.run(port2, { name: 'exits', transferList: [port2], retries: 1 }))
  t.true(
    ['ERR_RSPOOL_WORKER_EXIT', 'ERR_RSPOOL_INVALID_ARGUMENT', 25].includes(error.code),
    `${error.code} ${error.message}`
  )
  await worksOn(t, pool)
})

test('so it is while the thread is blocked', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = pool.runTask('pause')
  await gate.arrival()
  const { port1, port2 } = new MessageChannel()
  const waiting = how(pool.runTask('where', port2, { transferList: [port2] }))
  port1.close()
  gate.open()
  t.is(pool.runSync('after it'), 'after it')
  t.true(['ok', 'DataCloneError'].includes(await waiting))
  await running
  await worksOn(t, pool)
})
