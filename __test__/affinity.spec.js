'use strict'

const test = require('ava')
const { makePool, taskPool, fixture, failure, outcomes, upTo } = require('./helpers')

const where = (pool, affinity) => pool.run(undefined, { name: 'where', affinity })

test('tasks of one key run in one worker, one after the other, and keys spread over the workers', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 3 })
  const places = await Promise.all(upTo(30).map((i) => where(pool, `key ${i % 3}`)))
  const of = (key) => new Set(places.filter((_, i) => i % 3 === key))
  for (const key of [0, 1, 2]) t.is(of(key).size, 1)
  t.is(new Set(places).size, 3)
})

test('a key is kept in order while other workers are idle', async (t) => {
  const { pool, gate } = taskPool(t, { minThreads: 2, maxThreads: 2 })
  await pool.ready()
  const first = pool.run(undefined, { name: 'block', affinity: 7 })
  await gate.arrival(1)
  const order = []
  const rest = upTo(3).map((i) => pool.run(i, { affinity: 7 }).then((value) => order.push(value)))
  t.is(await pool.run('another'), 'another')
  t.is(pool.stats().queued, 3)
  gate.open()
  await Promise.all([first, ...rest])
  t.deepEqual(order, [0, 1, 2])
})

test('when its worker dies a key goes to another, which it keeps', async (t) => {
  const { pool } = taskPool(t, { minThreads: 2, maxThreads: 2 })
  await pool.ready()
  const before = await where(pool, 'k')
  const dies = pool.run(3, { name: 'exits', affinity: 'k' })
  const after = upTo(5).map(() => where(pool, 'k'))
  t.is((await failure(dies)).code, 'ERR_RSPOOL_WORKER_EXIT')
  const places = new Set(await Promise.all(after))
  t.is(places.size, 1)
  t.false(places.has(before))
  t.is(await where(pool, 'k'), [...places][0])
})

test('a bound task can be aborted, and times out in its line', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 2 })
  const first = pool.run(undefined, { name: 'block', affinity: 1 })
  await gate.arrival(1)
  const controller = new AbortController()
  const waiting = [
    pool.run(1, { affinity: 1, signal: controller.signal }),
    pool.run(2, { affinity: 1, queueTimeout: 10 }),
    pool.run(3, { affinity: 1, deadline: Date.now() + 10 }),
    pool.run(4, { affinity: 1, priority: -1 })
  ]
  const codes = outcomes(waiting)
  controller.abort()
  await failure(waiting[1])
  await failure(waiting[2])
  gate.open()
  t.deepEqual(await codes, ['ABORT_ERR', 'ERR_RSPOOL_QUEUE_TIMEOUT', 'ERR_RSPOOL_DEADLINE', 'ok'])
  await first
  t.is(pool.stats().queued, 0)
})

test('cancelQueued, close and destroy reach the tasks of a line', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 2, abortGrace: 10 })
  const first = pool.run(undefined, { name: 'block', affinity: 1 })
  await gate.arrival(1)
  const cancelled = outcomes(upTo(3).map((i) => pool.run(i, { affinity: 1 })))
  t.is(pool.cancelQueued(), 3)
  t.deepEqual(await cancelled, ['ABORT_ERR', 'ABORT_ERR', 'ABORT_ERR'])
  const last = outcomes([pool.run(1, { affinity: 1 }), first])
  await pool.destroy()
  t.deepEqual(await last, ['ERR_RSPOOL_POOL_CLOSED', 'ERR_RSPOOL_POOL_CLOSED'])

  const { pool: closing } = taskPool(t, { maxThreads: 2 })
  const all = upTo(20).map((i) => closing.run(i, { affinity: i % 5 }))
  await closing.close()
  t.deepEqual(await Promise.all(all), upTo(20))
})

test('inputs that only a port carries, streams, exports and inline functions keep to a worker too', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 3 })
  const home = await where(pool, 'k')
  const inline = () => require('node:worker_threads').threadId
  t.is(await pool.runTask(inline, [], { affinity: 'k' }), home)
  const shared = new Uint8Array(new SharedArrayBuffer(4))
  t.is((await pool.run(shared, { affinity: 'k' })).length, 4)
  const { port1, port2 } = new MessageChannel()
  t.teardown(() => port2.close())
  t.is(await pool.run(port1, { name: 'where', affinity: 'k', transferList: [port1] }), home)
  const ids = function* () {
    yield require('node:worker_threads').threadId
  }
  t.is(await pool.exports().where(undefined, { affinity: 'k' }), home)
  for await (const id of pool.stream(ids, undefined, { affinity: 'k' })) t.is(id, home)
})

test('a key that is no string or number is refused, and native tasks have none', async (t) => {
  const { pool } = taskPool(t)
  for (const affinity of ['', {}, null, Number.NaN, Infinity, true, 3n]) {
    const error = await failure(pool.run(1, { affinity }))
    t.is(error.code, 'ERR_RSPOOL_INVALID_ARGUMENT')
    t.regex(error.message, /'affinity' must be a string that is not empty, or a finite number, got/)
  }
  const native = await failure(pool.runTask('hash.crc32', 'x', { affinity: 1 }))
  t.regex(native.message, /unknown option 'affinity'/)
})

test('a broadcast runs once in every worker', async (t) => {
  const { pool } = taskPool(t, { minThreads: 3, maxThreads: 3 })
  await pool.ready()
  const places = await pool.broadcast('where')
  t.is(new Set(places).size, 3)
  t.deepEqual(await pool.broadcast('square', 4), [16, 16, 16])
  t.deepEqual(await pool.broadcast(undefined, 'main'), ['main', 'main', 'main'])
  t.deepEqual(await pool.broadcast((a, b) => a + b, [1, 2]), [3, 3, 3])
})

test('a broadcast waits for busy workers, and starts one if there is none', async (t) => {
  const { pool, gate } = taskPool(t, { minThreads: 2, maxThreads: 2 })
  await pool.ready()
  const busy = pool.runTask('block')
  await gate.arrival(1)
  const places = pool.broadcast('where')
  t.is(await pool.run('meanwhile'), 'meanwhile')
  gate.open()
  t.is(new Set(await places).size, 2)
  await busy

  const fresh = makePool(t, { filename: fixture('tasks.js'), minThreads: 0, maxThreads: 2 })
  t.deepEqual(await fresh.broadcast('square', 3), [9])
  const none = makePool(t, { minThreads: 0 })
  t.deepEqual(await none.broadcast((n) => n + 1, 1), [2])
})

test('a broadcast that fails somewhere rejects with the first error, when all have ended', async (t) => {
  const { pool } = taskPool(t, { minThreads: 2, maxThreads: 2 })
  await pool.ready()
  t.is((await failure(pool.broadcast('throws'))).code, 'E_RANGE')
  t.is((await failure(pool.broadcast('nothing'))).code, 'ERR_RSPOOL_UNKNOWN_TASK')
  t.is(pool.stats().running, 0)
  t.is((await failure(pool.broadcast('exits', 1))).code, 'ERR_RSPOOL_WORKER_EXIT')
  t.deepEqual(new Set(await pool.broadcast('square', 2)), new Set([4]))
})

test('a worker that ends before its turn has no part in a broadcast', async (t) => {
  const { pool, gate } = taskPool(t, { minThreads: 2, maxThreads: 2, abortGrace: 1 })
  await pool.ready()
  const controller = new AbortController()
  const stuck = pool.run(undefined, { name: 'block', signal: controller.signal })
  await gate.arrival(1)
  const places = pool.broadcast('where')
  controller.abort()
  t.is((await failure(stuck)).code, 'ABORT_ERR')
  t.is((await places).length, 1)
})

test('what a broadcast cannot take is refused', async (t) => {
  const { pool } = taskPool(t)
  const refused = [
    ['hash.sha256', 'x'],
    ['square', 1, { affinity: 1 }],
    ['square', 1, { transferList: [] }],
    ['square', 1, { timeout: 0 }],
    [7, 1]
  ]
  for (const args of refused) {
    t.is((await failure(pool.broadcast(...args))).code, 'ERR_RSPOOL_INVALID_ARGUMENT')
  }
  await pool.close()
  t.is((await failure(pool.broadcast('square', 1))).code, 'ERR_RSPOOL_POOL_CLOSED')
})

test('a broadcast in a pool whose script cannot be loaded rejects', async (t) => {
  const pool = makePool(t, { filename: fixture('none.js'), minThreads: 0 })
  t.is((await failure(pool.broadcast('square', 1))).code, 'ERR_RSPOOL_WORKER_START')
})

test('closing ends what waits for workers to be ready', async (t) => {
  const pool = makePool(t, { filename: 'data:text/javascript,for(;;);', minThreads: 1 })
  const waiting = [pool.ready(), pool.broadcast('square', 1)]
  const codes = outcomes(waiting)
  await pool.destroy()
  t.deepEqual(await codes, ['ERR_RSPOOL_POOL_CLOSED', 'ERR_RSPOOL_POOL_CLOSED'])
})
