'use strict'

const { once } = require('node:events')
const test = require('ava')
const { rspool, fixture, makePool, taskPool, outcomes, program, tally, Gate } = require('./helpers')

const FULL = 'ERR_RSPOOL_QUEUE_FULL'

test('maxThreads 1 and maxQueue 2 take three of ten calls', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, maxQueue: 2 })
  const pending = Array.from({ length: 10 }, () => pool.runTask('pause', 1))
  gate.open()
  t.deepEqual(await outcomes(pending), ['ok', 'ok', 'ok', FULL, FULL, FULL, FULL, FULL, FULL, FULL])
})

test('the numbers are the same when the worker is warm, and with native tasks', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, maxQueue: 2 })
  await pool.run(1)
  const scripts = Array.from({ length: 10 }, () => pool.runTask('pause', 1))
  gate.open()
  t.deepEqual(tally(await outcomes(scripts)), { ok: 3, [FULL]: 7 })
  const natives = Array.from({ length: 10 }, () => pool.runTask('hash.sha256', Buffer.alloc(1 << 20)))
  const counts = tally(await outcomes(natives))
  // The worker may end some while the others are still submitted.
  t.true(counts.ok >= 3, JSON.stringify(counts))
})

test('with maxQueue 0 only what workers can take is taken', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 2, maxQueue: 0 })
  const pending = Array.from({ length: 5 }, () => pool.runTask('pause', 1))
  gate.open()
  t.deepEqual(await outcomes(pending), ['ok', 'ok', FULL, FULL, FULL])
})

test('concurrentTasksPerWorker counts as room', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, maxQueue: 1, concurrentTasksPerWorker: 3 })
  const pending = Array.from({ length: 6 }, () => pool.runTask('pause', 1))
  gate.open()
  t.deepEqual(await outcomes(pending), ['ok', 'ok', 'ok', 'ok', FULL, FULL])
})

test('maxQueue "auto" is the square of maxThreads', (t) => {
  t.is(makePool(t, { maxThreads: 3, maxQueue: 'auto' }).options.maxQueue, 9)
})

test('a rejection for a full queue names the limit, and the pool works on', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, maxQueue: 1 })
  const pending = [pool.runTask('pause'), pool.runTask('pause')]
  const error = await t.throwsAsync(pool.run(1), { code: FULL, instanceOf: rspool.errors.RspoolError })
  t.regex(error.message, /'maxQueue' is 1/)
  gate.open()
  await Promise.all(pending)
  t.is(await pool.run(1), 1)
})

test('room comes back when a queued task is aborted', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, maxQueue: 1 })
  const controller = new AbortController()
  const running = pool.runTask('pause')
  await gate.arrival()
  const aborted = pool.run(1, { signal: controller.signal })
  await t.throwsAsync(pool.run(2), { code: FULL })
  controller.abort()
  await t.throwsAsync(aborted, { code: 'ABORT_ERR' })
  const next = pool.run(3)
  gate.open()
  t.is(await next, 3)
  await running
})

test('tasks of one priority run in the order of their calls', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = pool.runTask('block')
  await gate.arrival()
  const order = []
  const record = pool.runTask((n) => {
    globalThis.order ??= []
    globalThis.order.push(n)
    return globalThis.order
  }, 0)
  const inline = (n) => globalThis.order.push(n)
  const pending = Array.from({ length: 200 }, (_, n) => pool.runTask(inline, n + 1).then(() => order.push(n + 1)))
  gate.open()
  await Promise.all([running, record, ...pending])
  const ran = await pool.runTask(() => globalThis.order)
  t.deepEqual(
    ran,
    Array.from({ length: 201 }, (_, n) => n)
  )
})

test('a better priority, which is the lower number, runs first', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = pool.runTask('block')
  await gate.arrival()
  const note = (n) => {
    globalThis.noted ??= []
    globalThis.noted.push(n)
  }
  const pending = [0, 19, -20, 5, -5, 0, 19, -20].map((priority) => pool.runTask(note, priority, { priority }))
  gate.open()
  await Promise.all([running, ...pending])
  t.deepEqual(await pool.runTask(() => globalThis.noted), [-20, -20, -5, 0, 0, 5, 19, 19])
})

test('a priority holds among native tasks too', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const order = []
  pool.pause()
  const pending = [10, -10, 0].map((priority) =>
    pool.runTask('hash.crc32', '', { priority }).then(() => order.push(priority))
  )
  pool.resume()
  await Promise.all(pending)
  t.deepEqual(order, [-10, 0, 10])
})

test('drain comes once the queue has emptied, and once for each time', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  let drains = 0
  pool.on('drain', () => drains++)
  for (let round = 1; round <= 3; round++) {
    const drained = once(pool, 'drain')
    await Promise.all(Array.from({ length: 50 }, (_, n) => pool.run(n)))
    await drained
    t.is(drains, round)
  }
})

test('no drain where nothing waited', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 2 })
  pool.on('drain', () => t.fail())
  for (let n = 0; n < 20; n++) await Promise.all([pool.run(n), pool.run(n)])
  await pool.close()
  t.pass()
})

test('at most maxThreads workers are busy over both lanes', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 2 })
  const scripts = Array.from({ length: 4 }, () => pool.runTask('pause'))
  await gate.arrival(2)
  const natives = Array.from({ length: 4 }, () => pool.runTask('hash.crc32', 'a'))
  t.is(pool.stats().busy, 2)
  t.is(pool.stats().queued, 6)
  gate.open()
  await Promise.all([...scripts, ...natives])
})

test('workers are started up to maxThreads, as tasks need them', async (t) => {
  const { pool, gate } = taskPool(t, { minThreads: 1, maxThreads: 3 })
  const where = new Set()
  const pending = Array.from({ length: 3 }, () => pool.runTask('block').then((id) => where.add(id)))
  await gate.arrival(3)
  gate.open()
  await Promise.all(pending)
  t.is(where.size, 3)
  t.is(pool.stats().workers.length, 3)
})

test('100,000 tasks queued at once all end', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 2 })
  const results = await Promise.all(Array.from({ length: 100_000 }, (_, n) => pool.run(n)))
  t.true(results.every((value, n) => value === n))
  t.is(pool.stats().queued, 0)
})

test('a task that waits keeps no other pool waiting', async (t) => {
  const gate = new Gate()
  t.teardown(() => gate.open())
  const options = { filename: fixture('tasks.js'), maxThreads: 1, workerData: { gate: gate.cells } }
  const [blocked, free] = [makePool(t, options), makePool(t, options)]
  const pending = blocked.runTask('block')
  await gate.arrival()
  t.is(await free.run(1), 1)
  gate.open()
  await pending
})

test('the garbage collector knows of the inputs that wait', async (t) => {
  const { stdout } = await program(`
    const { PerformanceObserver, constants } = require('node:perf_hooks')
    let collections = 0
    const count = (list) => {
      for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections++
    }
    new PerformanceObserver(count).observe({ entryTypes: ['gc'] })
    const pool = new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 1 })
    pool.pause()
    const megabyte = new Uint8Array(1 << 20)
    async function main() {
      let queued = 0
      for (; collections === 0 && queued < 400; queued++) {
        pool.run(megabyte).catch(() => {})
        await new Promise(setImmediate)
      }
      console.log(collections > 0, pool.stats().queuedBytes === queued << 20)
      await pool.destroy()
    }
    main()
  `)
  // Nothing here but what waits is worth a collection.
  t.is(stdout, 'true true\n')
})
