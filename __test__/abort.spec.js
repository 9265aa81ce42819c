'use strict'

const { EventEmitter, getEventListeners } = require('node:events')
const test = require('ava')
const { byPort } = require('./by-port')
const { failure, makePool, markedPool, taskPool } = require('./helpers')

const aborted = { name: 'AbortError', code: 'ABORT_ERR' }

test('a signal that is aborted rejects at once, with its reason as the cause', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const reason = new Error('why')
  const error = await t.throwsAsync(pool.run(1, { signal: AbortSignal.abort(reason) }), aborted)
  t.is(error.cause, reason)
  t.is(pool.stats().queued, 0)
  await t.throwsAsync(pool.runTask('hash.crc32', 'a', { signal: AbortSignal.abort() }), aborted)
  t.is(await pool.run(1), 1)
})

test('of the tasks of one signal, none that waits begins when it aborts', async (t) => {
  const { pool, marked, marks } = markedPool(t, 'calls.js', { maxThreads: 1, abortGrace: Infinity })
  // The worker has time to go on while the tasks are aborted one after another.
  class Slow extends EventEmitter {
    get reason() {
      for (const end = performance.now() + 20; performance.now() < end; );
      return 'slow'
    }
  }
  const signal = new Slow()
  const calls = Array.from({ length: 5 }, (_, n) => failure(pool.run(n, { name: 'untilAborted', signal })))
  await marked(0, 1)
  signal.emit('abort')
  for (const { code, cause } of await Promise.all(calls)) t.deepEqual([code, cause], ['ABORT_ERR', 'slow'])
  t.is(await pool.run(4), 8)
  t.is(Atomics.load(marks, 0), 1)
})

test('a queued task does not run', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const controller = new AbortController()
  const running = pool.runTask('block')
  await gate.arrival()
  const ran = new Int32Array(new SharedArrayBuffer(4))
  const queued = [
    pool.runTask((view) => Atomics.add(view, 0, 1), ran, { signal: controller.signal }),
    pool.runTask('pause', 1, { signal: controller.signal }),
    pool.runTask('hash.crc32', 'a', { signal: controller.signal })
  ]
  controller.abort('reason')
  for (const promise of queued) t.is((await t.throwsAsync(promise, aborted)).cause, 'reason')
  t.is(pool.stats().queued, 0)
  gate.open()
  await running
  await pool.run(1)
  t.is(ran[0], 0)
  t.is(gate.arrived, 1)
})

test('a running task that waits rejects at once; its worker is replaced and works on', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const controller = new AbortController()
  const promise = pool.runTask('never', null, { signal: controller.signal })
  await gate.arrival()
  controller.abort()
  await t.throwsAsync(promise, aborted)
  t.is(await pool.run(1), 1)
})

test('a task that never gives its event loop a turn is ended, and its worker replaced', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, abortGrace: 20 })
  const before = await pool.runTask('where')
  const controller = new AbortController()
  const promise = pool.runTask('loop', null, { signal: controller.signal })
  await gate.arrival()
  controller.abort()
  await t.throwsAsync(promise, aborted)
  t.not(await pool.runTask('where'), before)
})

test('a synchronous loop sees the abort, and its worker stays', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, abortGrace: 60_000 })
  const before = await pool.runTask('where')
  const controller = new AbortController()
  const promise = pool.runTask('loopUntilAborted', null, { signal: controller.signal })
  await gate.arrival()
  controller.abort()
  await t.throwsAsync(promise, aborted)
  t.is(await pool.runTask('where'), before)
  t.is(Atomics.load(gate.cells, 1), 7)
})

test('an asynchronous task gets the abort event, and its worker stays', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, abortGrace: 60_000 })
  const before = await pool.runTask('where')
  const controller = new AbortController()
  const wait = () => {
    const { task } = require('../lib/worker/api.js')
    const { gate } = require('node:worker_threads').workerData
    Atomics.add(gate, 0, 1)
    Atomics.notify(gate, 0)
    return new Promise((resolve) => task.signal.addEventListener('abort', () => resolve('late'), { once: true }))
  }
  const promise = pool.runTask(wait, [], { signal: controller.signal })
  await gate.arrival()
  controller.abort()
  await t.throwsAsync(promise, aborted)
  t.is(await pool.runTask('where'), before)
})

test('abortGrace 0 ends the worker at once', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, abortGrace: 0 })
  const before = await pool.runTask('where')
  const controller = new AbortController()
  const promise = pool.runTask('never', null, { signal: controller.signal })
  await gate.arrival()
  controller.abort()
  await t.throwsAsync(promise, aborted)
  t.not(await pool.runTask('where'), before)
})

test('an aborted native task stops, and its worker works on', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const controller = new AbortController()
  const promise = pool.runTask('math.countPrimes', 2 ** 53 - 1, { signal: controller.signal })
  await new Promise(setImmediate)
  controller.abort()
  await t.throwsAsync(promise, aborted)
  t.is(await pool.runTask('math.countPrimes', 10), 4)
})

test('AbortSignal.timeout is an abort, with the TimeoutError as its cause', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1, abortGrace: 0 })
  for (const run of [
    (signal) => pool.runTask('never', null, { signal }),
    (signal) => pool.runTask('math.countPrimes', 2 ** 53 - 1, { signal })
  ]) {
    const error = await t.throwsAsync(run(AbortSignal.timeout(5)), aborted)
    t.is(error.cause.name, 'TimeoutError')
  }
})

test('an EventEmitter that emits abort is a signal too', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const signal = new EventEmitter()
  const running = pool.runTask('never', null, { signal })
  await gate.arrival()
  const queued = pool.run(1, { signal })
  signal.emit('abort')
  await t.throwsAsync(running, aborted)
  await t.throwsAsync(queued, aborted)
  t.is(signal.listenerCount('abort'), 0)
  t.is(await pool.run(1), 1)
})

test('an abort after the end changes nothing', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const controller = new AbortController()
  const { signal } = controller
  t.is(await pool.run(1, { signal }), 1)
  t.is(await pool.runTask('hash.crc32', '', { signal }), 0)
  const next = pool.run(2)
  controller.abort()
  t.is(await next, 2)
})

test('a signal keeps no listeners of tasks that have ended', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const { signal } = new AbortController()
  for (let i = 0; i < 3; i++) await Promise.all(Array.from({ length: 50 }, (_, n) => pool.run(n, { signal })))
  await failure(pool.runTask('throws', null, { signal }))
  t.is(getEventListeners(signal, 'abort').length, 0)
})

test('a thousand tasks share a signal without a warning', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const warnings = []
  const note = (warning) => warnings.push(warning)
  process.on('warning', note)
  t.teardown(() => process.removeListener('warning', note))
  const controller = new AbortController()
  const { signal } = controller
  const running = pool.runTask('never', null, { signal })
  await gate.arrival()
  const pending = Array.from({ length: 1000 }, (_, n) => pool.run(n, { signal }))
  t.is(getEventListeners(signal, 'abort').length, 1)
  const settled = Promise.allSettled([running, ...pending])
  controller.abort()
  for (const { reason } of await settled) t.is(reason.code, 'ABORT_ERR')
  t.deepEqual(warnings, [])
  t.is(await pool.run(1), 1)
})

test('an abort reaches only the tasks of its signal', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, concurrentTasksPerWorker: 3, abortGrace: 60_000 })
  const controllers = [new AbortController(), new AbortController()]
  const wait = () => {
    const { task } = require('../lib/worker/api.js')
    const { gate } = require('node:worker_threads').workerData
    Atomics.add(gate, 0, 1)
    Atomics.notify(gate, 0)
    const { signal } = task
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve('seen'), { once: true }))
  }
  const [first, second] = controllers.map(({ signal }) => pool.runTask(wait, [], { signal }))
  const third = pool.runTask('pause', 3)
  await gate.arrival(3)
  controllers[0].abort()
  await t.throwsAsync(first, aborted)
  gate.open()
  t.is(await third, 3)
  controllers[1].abort()
  await t.throwsAsync(second, aborted)
})

test('a queued task gets its worker when the one before it is aborted', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, abortGrace: 10 })
  const controller = new AbortController()
  const running = pool.runTask('loop', null, { signal: controller.signal })
  await gate.arrival()
  const queued = Array.from({ length: 20 }, (_, n) => pool.run(n))
  controller.abort()
  await t.throwsAsync(running, aborted)
  t.deepEqual(
    await Promise.all(queued),
    Array.from({ length: 20 }, (_, n) => n)
  )
})

test('task.signal and task.id are of the task that asks', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const [id, isAborted] = await pool.runTask(() => {
    const { task } = require('../lib/worker/api.js')
    return [task.id, task.signal.aborted]
  })
  t.is(typeof id, 'number')
  t.false(isAborted)
})

test('throwIfAborted throws inside a loop', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, abortGrace: 60_000 })
  const where = await pool.runTask('where')
  const controller = new AbortController()
  const loop = () => {
    const { task } = require('../lib/worker/api.js')
    const { gate } = require('node:worker_threads').workerData
    const { signal } = task
    Atomics.add(gate, 0, 1)
    Atomics.notify(gate, 0)
    for (;;) signal.throwIfAborted()
  }
  const promise = pool.runTask(loop, [], { signal: controller.signal })
  await gate.arrival()
  controller.abort()
  await t.throwsAsync(promise, aborted)
  t.is(await pool.runTask('where'), where)
})

test('a signal aborts its own call, though a getter of the input made others meanwhile', async (t) => {
  for (const shared of [undefined, byPort()]) {
    const { pool, gate } = taskPool(t, { maxThreads: 1 })
    await pool.run(1)
    const running = pool.runTask('block')
    await gate.arrival()
    const controller = new AbortController()
    const others = []
    const input = {
      shared,
      get b() {
        others.push(pool.run('made by the getter'), pool.run('and one more'))
        return 'b'
      }
    }
    const before = pool.run('before')
    const aborting = failure(pool.run(input, { signal: controller.signal }))
    const after = pool.run('after')
    controller.abort()
    t.is((await aborting).code, 'ABORT_ERR')
    gate.open()
    t.is(others.length >= 2, true)
    t.deepEqual(await Promise.all([before, after, ...others.slice(0, 2)]), [
      'before',
      'after',
      'made by the getter',
      'and one more'
    ])
    await running
  }
})

test('a signal aborts its own running call, though a getter of the input made others meanwhile', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, concurrentTasksPerWorker: 4 })
  await pool.run(1)
  const controller = new AbortController()
  let other
  const input = {
    shared: byPort(),
    get b() {
      other ??= pool.runTask('pause', 'not this one')
      return 'b'
    }
  }
  const aborting = failure(pool.run(input, { name: 'never', signal: controller.signal }))
  await gate.arrival(2)
  controller.abort()
  t.is((await aborting).code, 'ABORT_ERR')
  gate.open()
  t.is(await other, 'not this one')
})
