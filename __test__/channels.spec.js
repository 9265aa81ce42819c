'use strict'

// What a task tells through diagnostics_channel and through user timing.

const { AsyncLocalStorage } = require('node:async_hooks')
const { channel, tracingChannel } = require('node:diagnostics_channel')
const { PerformanceObserver } = require('node:perf_hooks')
const test = require('ava')
const { failure, fixture, makePool, taskPool, outcomes, program } = require('./helpers')
const { PLAIN, TRACING, listenTo } = require('./task-channels')

const namesOf = (log) => log.map(([name]) => name)

test('a task tells when it waits, starts and ends', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const log = listenTo(t, pool, PLAIN)
  t.is(await pool.runTask('square', 7), 49)
  t.deepEqual(namesOf(log), ['rspool:task:queue', 'rspool:task:start', 'rspool:task:end'])
  const [, message] = log[0]
  t.true(
    log.every(([, other]) => other === message),
    'one object a task'
  )
  const { task, lane, kind, filename, worker, wait, run, result } = message
  t.deepEqual([task, lane, kind, result], ['square', 'script', 'call', 49])
  t.true(filename.endsWith('/fixtures/tasks.js'))
  t.is(worker.threadId, await pool.runTask('where'))
  t.true(wait > 0 && run > 0)
  t.false('error' in message)
})

test('a task that fails tells why', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, abortGrace: Infinity })
  await pool.run(1)
  const log = listenTo(t, pool, PLAIN)
  const thrown = await failure(pool.runTask('throws'))
  t.deepEqual(namesOf(log), PLAIN.with(2, PLAIN[3]).with(3, PLAIN[2]))
  t.is(log[2][1].error, thrown)

  log.length = 0
  const controller = new AbortController()
  const running = pool.runTask('pause', 0, { signal: controller.signal })
  const waiting = pool.runTask('square', 2, { signal: controller.signal })
  await gate.arrival()
  controller.abort()
  t.deepEqual(await outcomes([running, waiting]), ['ABORT_ERR', 'ABORT_ERR'])
  const ended = log.filter(([name]) => name === 'rspool:task:end').map(([, message]) => message)
  t.deepEqual(
    ended.map(({ task, error, run }) => [task, error.code, run]),
    [
      ['square', 'ABORT_ERR', undefined],
      ['pause', 'ABORT_ERR', undefined]
    ]
  )
  t.is(ended[0].wait, undefined, 'it has not started')
})

test('that a task has started which was given up meanwhile is not told of the one that has its number now', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, abortGrace: Infinity })
  const other = makePool(t, { maxThreads: 1 })
  await Promise.all([pool.run(1), other.runTask('hash.crc32', '')])
  const log = listenTo(t, pool, PLAIN)
  const controller = new AbortController()
  const first = pool.runTask('block', 0, { signal: controller.signal })
  // It runs, and this thread, whose loop has not turned since, has not read so.
  while (gate.arrived === 0) Atomics.wait(gate.cells, 0, 0, 20)
  controller.abort()
  const second = pool.runTask('square', 3)
  t.is((await failure(first)).code, 'ABORT_ERR')
  // What comes in for the thread comes in order.
  await other.runTask('hash.crc32', '')
  const starts = () => log.filter(([name]) => name === 'rspool:task:start').map(([, { task }]) => task)
  t.deepEqual(starts(), [])
  gate.open()
  t.is(await second, 9)
  t.deepEqual(starts(), ['square'])
})

test('every way in which a task can fail tells its end once', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1, maxQueue: 1, abortGrace: 0, minThreads: 0 })
  const log = listenTo(t, pool, PLAIN)
  const calls = []
  const call = async (...args) => {
    const promise = pool.runTask(...args)
    calls.push(promise)
    await promise.catch(() => {})
  }
  await call('uncloneable')
  await call('square', () => {})
  await call('exits', 3)
  await call('loop', 0, { timeout: 5 })
  await call('loop', 0, { deadline: Date.now() + 5 })
  await call('hash.crc32', 1)
  await call('array.sort', new Float64Array([2, 1]))
  calls.push(pool.runTask('never'), pool.runTask('square', 1, { queueTimeout: 5 }), pool.runTask('square', 2))
  await failure(calls.at(-2))
  await pool.destroy()
  const codes = await outcomes(calls)
  t.deepEqual(codes, [
    25,
    25,
    'ERR_RSPOOL_WORKER_EXIT',
    'ERR_RSPOOL_TASK_TIMEOUT',
    'ERR_RSPOOL_DEADLINE',
    'ERR_RSPOOL_INVALID_ARGUMENT',
    'ok',
    'ERR_RSPOOL_POOL_CLOSED',
    'ERR_RSPOOL_QUEUE_TIMEOUT',
    'ERR_RSPOOL_QUEUE_FULL'
  ])
  const told = (channel) => log.filter(([name]) => name === channel).map(([, message]) => message)
  const label = ({ error }) => error?.code ?? 'ok'
  t.deepEqual(told('rspool:task:end').map(label).sort(), [...codes].sort())
  t.deepEqual(told('rspool:task:error').map(label).sort(), codes.filter((code) => code !== 'ok').sort())
})

test('a TracingChannel traces the call and its end', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const log = listenTo(t, pool, TRACING)
  await pool.run(5)
  t.deepEqual(namesOf(log), TRACING.slice(0, 4))
  log.length = 0
  await failure(pool.runTask('throws'))
  t.deepEqual(namesOf(log), [TRACING[0], TRACING[1], TRACING[4], TRACING[2], TRACING[3]])
  log.length = 0
  await failure(pool.run(() => {}))
  t.deepEqual(namesOf(log), [TRACING[0], TRACING[4], TRACING[1]], 'a call that could not be made')
})

test('a store that is bound to the start of a trace is there in the call and travels', async (t) => {
  const span = new AsyncLocalStorage()
  const { start } = tracingChannel('rspool:task')
  const pool = makePool(t, { filename: fixture('contexts.js'), maxThreads: 1, context: { user: span } })
  start.bindStore(span, ({ pool: of, task }) => (of === pool ? `span of ${task}` : undefined))
  t.teardown(() => start.unbindStore(span))
  const log = listenTo(t, pool, TRACING.slice(2, 3), () => log.stores.push(span.getStore()))
  log.stores = []
  t.is(await pool.runTask('user'), 'span of user')
  t.deepEqual(log.stores, ['span of user'])
})

test('streams, chunks, native tasks and inline functions say what they are', async (t) => {
  const pool = makePool(t, { filename: fixture('contexts.js'), maxThreads: 1 })
  const log = listenTo(t, pool, ['rspool:task:end'])
  for await (const _ of pool.stream('rows', 3));
  await pool.settled([1, 2], 'user', { chunk: 2 })
  await pool.runTask('hash.crc32', 'x')
  await pool.runTask(() => 1)
  await pool.run(1, { name: 'user', context: { user: 1 } })
  t.deepEqual(
    log.map(([, { task, lane, kind, result }]) => [task, lane, kind, result]),
    [
      ['rows', 'script', 'stream', undefined],
      ['user', 'script', 'batch', undefined],
      ['hash.crc32', 'native', 'call', 2363233923],
      ['(inline)', 'script', 'call', 1],
      ['user', 'script', 'call', 1]
    ]
  )
})

test('a subscriber may call the pool, and one that throws harms no task', async (t) => {
  const { stdout, code } = await program(`
    const { subscribe } = require('node:diagnostics_channel')
    const pool = new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 1 })
    let nested = 0
    const results = []
    for (const name of ${JSON.stringify([...PLAIN, ...TRACING])}) {
      subscribe(name, ({ task, error }) => {
        if (task === 'default') pool.runTask('square', ++nested).then((n) => results.push(n))
        throw new Error('from a subscriber')
      })
    }
    let uncaught = 0
    process.on('uncaughtException', ({ message }) => uncaught += message === 'from a subscriber')
    Promise.all(Array.from({ length: 50 }, (_, i) => pool.run({ text: 'x'.repeat(i * 50), i }))).then(async (all) => {
      await pool.close()
      console.log(all.every(({ text, i }, at) => i === at && text.length === i * 50), nested, results.length, uncaught > 0)
      console.log(results.sort((a, b) => a - b).every((n, i) => n === (i + 1) ** 2))
    })
  `)
  t.is(code, 0)
  const [line, squares] = stdout.trim().split('\n')
  t.is(squares, 'true')
  // Seven times each: queue, start, end; and the trace's start, end, asyncStart, asyncEnd.
  t.is(line, 'true 350 350 true')
})

test('tasks that were called before there was a subscriber tell nothing', async (t) => {
  const { stdout } = await program(`
    const { subscribe } = require('node:diagnostics_channel')
    const pool = new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 1 })
    const before = pool.run(1)
    for (const name of ${JSON.stringify([...PLAIN, ...TRACING])}) subscribe(name, () => console.log(name))
    before.then(() => pool.close()).then(() => console.log('closed'))
  `)
  t.is(stdout, 'closed\n')
})

test('workers tell when they come and go', async (t) => {
  const pool = makePool(t, { filename: fixture('tasks.js'), maxThreads: 1 })
  const log = listenTo(t, pool, ['rspool:worker:create', 'rspool:worker:exit'])
  const threadId = await pool.runTask('where')
  await pool.close()
  t.deepEqual(
    log.map(([name, { id, threadId, exitCode }]) => [name, id, threadId, exitCode]),
    [
      ['rspool:worker:create', 0, threadId, undefined],
      ['rspool:worker:exit', 0, threadId, 0]
    ]
  )
  t.true(channel('rspool:worker:exit').hasSubscribers)
})

test('with timing each task is a measure', async (t) => {
  const pool = makePool(t, { filename: fixture('tasks.js'), maxThreads: 1, timing: true, label: 'timed' })
  const seen = []
  const observer = new PerformanceObserver((list) => seen.push(...list.getEntriesByName('rspool:task')))
  observer.observe({ entryTypes: ['measure'] })
  t.teardown(() => observer.disconnect())
  const before = performance.now()
  await pool.runTask('square', 3)
  await failure(pool.runTask('throws'))
  await pool.runTask('hash.crc32', 'x')
  seen.push(...observer.takeRecords().filter(({ name }) => name === 'rspool:task'))
  t.deepEqual(
    seen.map(({ detail }) => [detail.pool, detail.task, detail.lane, detail.kind, detail.error]),
    [
      ['timed', 'square', 'script', 'call', undefined],
      ['timed', 'throws', 'script', 'call', 'E_RANGE'],
      ['timed', 'hash.crc32', 'native', 'call', undefined]
    ]
  )
  for (const { startTime, duration, detail } of seen) {
    t.true(startTime >= before)
    t.true(duration >= detail.wait + detail.run)
  }
  t.throws(() => makePool(t, { timing: 1 }), {
    code: 'ERR_RSPOOL_INVALID_ARGUMENT',
    message: /'timing' must be a boolean/
  })
})
