'use strict'

const { once } = require('node:events')
const test = require('ava')
const { byPort } = require('./by-port')
const { fixture, makePool, taskPool, outcomes, rspool, failure } = require('./helpers')

const CLOSED = 'ERR_RSPOOL_POOL_CLOSED'

test('options of close that are wrong reject, and the pool stays open', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const code = 'ERR_RSPOOL_INVALID_ARGUMENT'
  await t.throwsAsync(pool.close({ forse: true }), { code, message: /Did you mean 'force'/ })
  await t.throwsAsync(pool.close({ force: 'yes' }), { code })
  await t.throwsAsync(pool.close({ timeout: -1 }), { code, message: /timeout/ })
  await t.throwsAsync(pool.close(true), { code })
  t.false(pool.closed)
  t.is(await pool.run(1), 1)
})

test('close lets running and queued tasks end, and refuses new ones', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = pool.runTask('pause', 'running')
  await gate.arrival()
  const queued = Array.from({ length: 5 }, (_, n) => pool.run(n))
  const closing = pool.close()
  t.true(pool.closed)
  for (const run of [() => pool.run(1), () => pool.runTask('hash.crc32', ''), () => pool.runTask(() => 1)]) {
    const error = await t.throwsAsync(run(), { code: CLOSED })
    t.true(error instanceof rspool.errors.PoolClosedError)
  }
  gate.open()
  t.is(await running, 'running')
  t.deepEqual(await Promise.all(queued), [0, 1, 2, 3, 4])
  t.is(await closing, undefined)
})

test('destroy rejects running and queued tasks of both lanes', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 2 })
  const running = [pool.runTask('loop'), pool.runTask('math.countPrimes', 2 ** 53 - 1)]
  await gate.arrival()
  const queued = [pool.run(1), pool.runTask('hash.crc32', ''), pool.run(byPort()), pool.runTask('never')]
  const rejected = outcomes([...running, ...queued])
  await pool.destroy()
  t.deepEqual(await rejected, new Array(6).fill(CLOSED))
})

test('destroy ends while a worker is asked for that has not been started', async (t) => {
  for (let round = 0; round < 40; round++) {
    const { pool, gate } = taskPool(t, { maxThreads: 2 })
    const running = [pool.runTask('pause'), pool.runTask('math.countPrimes', 2 ** 53 - 1)]
    await gate.arrival()
    // The scheduler asks for another one at about this time.
    const codes = outcomes([...running, pool.run(1), pool.run(byPort()), pool.runTask('never')])
    await pool.destroy()
    t.deepEqual(await codes, new Array(5).fill(CLOSED))
  }
})

test('close with force is destroy', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = failure(pool.runTask('never'))
  await gate.arrival()
  await pool.close({ force: true })
  t.is((await running).code, CLOSED)
})

for (const [what, options] of Object.entries({
  'that was never used': {},
  'without a script': { filename: undefined },
  'with no worker at least': { minThreads: 0 },
  'with many workers that start': { minThreads: 4, maxThreads: 4 }
})) {
  for (const end of ['close', 'destroy']) {
    test(`${end} ends a pool ${what}`, async (t) => {
      const { pool } = taskPool(t, { maxThreads: 4, ...options })
      await pool[end]()
      t.true(pool.closed)
      t.is(pool.stats().workers.length, 0)
      await t.throwsAsync(pool.runTask('hash.crc32', ''), { code: CLOSED })
      await t.throwsAsync(
        pool.runTask(() => 1),
        { code: CLOSED }
      )
    })
  }
}

test('close and destroy may be called any number of times, in any order', async (t) => {
  const orders = [
    ['close', 'close'],
    ['destroy', 'destroy'],
    ['close', 'destroy', 'close'],
    ['destroy', 'close', 'destroy']
  ]
  for (const order of orders) {
    const { pool, gate } = taskPool(t, { maxThreads: 1 })
    const pending = outcomes([pool.runTask('pause', 1), pool.run(2)])
    await gate.arrival()
    const ends = order.map((end) => pool[end]())
    gate.open()
    await Promise.all(ends)
    const codes = await pending
    t.true(
      codes.every((code) => code === 'ok' || code === CLOSED),
      codes.join()
    )
    for (const end of order) await pool[end]()
  }
})

test('destroy cuts a close short that waits', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = failure(pool.runTask('never'))
  await gate.arrival()
  const closing = pool.close()
  await pool.destroy()
  await closing
  t.is((await running).code, CLOSED)
})

test('a close with a timeout gives up what has not ended by then', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = failure(pool.runTask('never'))
  const queued = failure(pool.run(1))
  await gate.arrival()
  const patient = pool.close({ timeout: 60_000 })
  await pool.close({ timeout: 0 })
  await patient
  t.is((await running).code, CLOSED)
  t.is((await queued).code, CLOSED)
})

test('a close with a timeout lets end what ends before', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = pool.runTask('pause', 7)
  await gate.arrival()
  const closing = pool.close({ timeout: 60_000 })
  gate.open()
  await closing
  t.is(await running, 7)
})

test('close waits for a task whose abort was given to the worker', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, abortGrace: 10 })
  const controller = new AbortController()
  const running = failure(pool.runTask('loop', null, { signal: controller.signal }))
  await gate.arrival()
  const closing = pool.close()
  controller.abort()
  t.is((await running).code, 'ABORT_ERR')
  await closing
})

test('close ends while a worker cannot start', async (t) => {
  const pool = makePool(t, { filename: '/no/such/file.js', maxThreads: 2 })
  const rejected = failure(pool.run(1))
  await pool.close()
  t.is((await rejected).code, 'ERR_RSPOOL_WORKER_START')
})

test('the close event comes once, after the last worker has gone', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 2, minThreads: 2 })
  const order = []
  pool.on('workerExit', () => order.push('exit'))
  pool.on('close', () => order.push('close'))
  await Promise.all([pool.run(1), pool.run(2)])
  const closed = once(pool, 'close')
  await pool.close()
  await closed
  await pool.close()
  t.is(order.at(-1), 'close')
  t.is(order.filter((each) => each === 'close').length, 1)
})

test('Symbol.asyncDispose closes', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const symbol = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')
  const running = pool.runTask('pause', 1)
  await gate.arrival()
  const disposed = pool[symbol]()
  gate.open()
  await disposed
  t.is(await running, 1)
  t.true(pool.closed)
})

test('a worker that will not end by itself does not keep close', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  await pool.runTask(() => {
    setInterval(() => {}, 1000)
    require('node:net').createServer().listen(0)
  })
  await pool.close()
  t.is(pool.stats().workers.length, 0)
})

test('stats of a closed pool are its last', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  await Promise.all([pool.run(1), pool.run(2), failure(pool.runTask('throws'))])
  await pool.close()
  const { completed, failed, queued, running, workers } = pool.stats()
  t.deepEqual(
    { completed, failed, queued, running, workers },
    { completed: 2, failed: 1, queued: 0, running: 0, workers: [] }
  )
})

test("closing in a reaction of a task's own promise works", async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  await pool.run(1).then(() => pool.close())
  t.true(pool.closed)
  const other = taskPool(t, { maxThreads: 1 }).pool
  await Promise.all([other.run(1).then(() => other.destroy()), failure(other.runTask('never'))])
  t.true(other.closed)
})

test('a hundred pools made and ended, in the middle of their work or not', async (t) => {
  for (let round = 0; round < 50; round++) {
    const pools = [0, 1].map(() => new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 2 }))
    const pending = outcomes(pools.flatMap((pool) => [pool.run(1), pool.runTask('hash.crc32', ''), pool.run(/x/)]))
    if (round % 3 === 0) await pools[0].run(2)
    await Promise.all([pools[0].destroy(), pools[1].close()])
    const codes = await pending
    t.deepEqual(codes.slice(3), ['ok', 'ok', 'ok'])
    for (const code of codes) t.true(code === 'ok' || code === CLOSED, code)
  }
})

test('what a teardown posts to a port that it was given arrives before the pool has closed', async (t) => {
  const { MessageChannel } = require('node:worker_threads')
  for (const teardown of ["() => port.postMessage('bye')", "async () => { await null; port.postMessage('bye') }"]) {
    const source = `let port
      export const take = (given) => { port = given.port }
      export const teardown = ${teardown}`
    for (let i = 0; i < 10; i++) {
      const pool = new rspool.Pool({ filename: `data:text/javascript,${encodeURIComponent(source)}`, maxThreads: 1 })
      const { port1, port2 } = new MessageChannel()
      const heard = []
      port1.on('message', (message) => heard.push(message))
      await pool.run({ port: port2 }, { name: 'take', transferList: [port2] })
      await pool.close()
      t.deepEqual(heard, ['bye'])
      port1.close()
    }
  }
})
