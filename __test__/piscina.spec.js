'use strict'

const { AsyncLocalStorage } = require('node:async_hooks')
const { EventEmitter, once } = require('node:events')
const test = require('ava')
const fc = require('fast-check')
const manifest = require('../package.json')
const Piscina = require('../piscina.js')
const { fixture, Gate, program } = require('./helpers')

const { ArrayTaskQueue, FixedQueue } = Piscina

/** A piscina that is destroyed after the test. */
function make(t, options) {
  const pool = new Piscina({ filename: fixture('piscina.js'), maxThreads: 1, idleTimeout: Infinity, ...options })
  t.teardown(() => pool.destroy())
  return pool
}

/** What makes the main thread give out the tasks, one by one. */
const DISPATCHED = { loadBalancer: (_, workers) => workers.find(({ currentUsage }) => currentUsage === 0) ?? null }

/** The same in both ways: by the scheduler, and given out by the main thread. */
function both(title, body) {
  test(title, (t) => body(t, {}))
  test(`${title}, given out one by one`, (t) => body(t, DISPATCHED))
}

/** Tasks that wait until they are let go. */
function gated(t) {
  const gate = new Gate()
  t.teardown(() => gate.open())
  return gate
}

test('the package has it as an entry, which the main entry does not load', async (t) => {
  t.deepEqual(Object.keys(manifest.exports['./piscina']), ['types', 'default'])
  const { stdout } = await program(`
    const loaded = Object.keys(require.cache).filter((file) => /lib.piscina|piscina.js$/.test(file))
    console.log(loaded.length)
  `)
  t.is(stdout, '0\n')
})

test('both kinds of module have the same names', async (t) => {
  const { default: own, 'module.exports': _, ...names } = await import('../piscina.js')
  t.is(own, Piscina)
  t.is(Piscina.Piscina, Piscina)
  for (const [name, value] of Object.entries(names)) t.is(value, Piscina[name], name)
  t.is(Piscina.isWorkerThread, false)
  t.is(Piscina.workerData, undefined)
  t.is(Piscina.version, manifest.devDependencies.piscina.replace('^', ''))
})

both('it calls the default export, a named one, and another script', async (t, options) => {
  const pool = make(t, options)
  t.deepEqual(await pool.run({ a: [1] }), { a: [1] })
  t.deepEqual(await pool.run({ ms: 1, value: 2 }, { name: 'pause' }), 2)
  t.is(
    await pool.run({}, { filename: fixture('tasks.js'), name: 'default' }).then(typeof (() => 0) && (() => 'ok')),
    'ok'
  )
  t.is(pool.completed, 3)
  t.true(pool.duration > 0)
})

both('a script sees that it is in a worker, and its workerData', async (t, options) => {
  const pool = make(t, { ...options, workerData: { a: 1 } })
  const about = await pool.run(null, { name: 'about' })
  t.true(about.isWorkerThread)
  t.deepEqual(about.workerData, { a: 1 })
  t.is(about.threadId, pool.threads[0].threadId)
})

both('a script has the environment that it was given, and nothing beside it', async (t, options) => {
  const given = make(t, { ...options, env: { ONLY: 'this' } })
  t.deepEqual(await given.run(null, { name: 'environment' }), { ONLY: 'this' })
  const pool = make(t, options)
  t.deepEqual(await pool.run(null, { name: 'environment' }), { ...process.env })
})

both('errors have the words of piscina', async (t, options) => {
  const pool = make(t, options)
  await t.throwsAsync(pool.run('bad', { name: 'fail' }), { instanceOf: RangeError, message: 'bad' })
  await t.throwsAsync(pool.run(3, { name: 'exit' }), { message: 'worker exited with code: 3' })
  t.is(await pool.run(1), 1)
  await t.throwsAsync(pool.run(null, { filename: '/no/such/file.js' }), { message: /Cannot find module/ })
  const bare = make(t, { ...options, filename: null })
  await t.throwsAsync(bare.run(1), { message: 'filename must be provided to run() or in options object' })
})

both('an abort ends what runs and takes away what waits', async (t, options) => {
  const pool = make(t, options)
  const gate = gated(t)
  const signal = new EventEmitter()
  const controller = new AbortController()
  const running = pool.run(gate.cells, { name: 'wait', signal: controller.signal })
  const waiting = pool.run(1, { signal })
  const later = pool.run(2)
  await gate.arrival()
  t.is(pool.queueSize, 2)
  signal.emit('abort')
  await t.throwsAsync(waiting, { name: 'AbortError', message: 'The task has been aborted' })
  t.is(pool.queueSize, 1)
  controller.abort('why')
  const error = await t.throwsAsync(running, { name: 'AbortError' })
  t.is(error.cause, 'why')
  t.is(await later, 2)
  t.is(signal.listenerCount('abort'), 0)
  await t.throwsAsync(pool.run(1, { signal: AbortSignal.abort('early') }), { message: 'The task has been aborted' })
})

both('a full queue refuses', async (t, options) => {
  const gate = gated(t)
  const pool = make(t, { ...options, maxQueue: 1 })
  const running = pool.run(gate.cells, { name: 'wait' })
  await gate.arrival()
  const queued = pool.run(1)
  await t.throwsAsync(pool.run(2), { message: 'Task queue is at limit' })
  gate.open()
  await Promise.all([running, queued])

  const none = make(t, { ...options, maxQueue: 0 })
  const other = gated(t)
  const only = none.run(other.cells, { name: 'wait' })
  await other.arrival()
  await t.throwsAsync(none.run(2), { message: 'No task queue available and all Workers are busy' })
  other.open()
  await only
  t.is(await none.run(3), 3)
})

both('close waits for all, and takes no more', async (t, options) => {
  const gate = gated(t)
  const pool = make(t, options)
  const closed = once(pool, 'close')
  const pending = [pool.run(gate.cells, { name: 'wait' }), pool.run(1)]
  const closing = pool.close()
  const error = await t.throwsAsync(pool.run(2), { name: 'AbortError' })
  t.is(error.cause, 'queue is being terminated')
  gate.open()
  t.is((await Promise.all(pending))[1], 1)
  await closing
  await closed
  t.is(pool.threads.length, 0)
  await pool.close()
})

both('close by force gives up what has not started', async (t, options) => {
  const gate = gated(t)
  const pool = make(t, options)
  const running = pool.run(gate.cells, { name: 'wait' })
  await gate.arrival()
  const waiting = pool.run(1)
  const closing = pool.close({ force: true })
  const error = await t.throwsAsync(waiting, { name: 'AbortError', message: 'The task has been aborted' })
  t.is(error.cause, 'pool is closed')
  gate.open()
  t.true((await running) > 0)
  await closing
})

both('a close that takes too long ends all', async (t, options) => {
  const pool = make(t, { ...options, closeTimeout: 10 })
  const late = once(pool, 'error')
  const pending = [pool.run(null, { name: 'never' }), pool.run(1)]
  const closing = pool.close()
  t.is((await late)[0].message, 'Close operation timed out')
  for (const promise of pending) await t.throwsAsync(promise, { message: 'Terminating worker thread' })
  await closing
})

both('destroy rejects all', async (t, options) => {
  const pool = make(t, options)
  const pending = [pool.run(null, { name: 'never' }), pool.run(1)]
  const destroyed = pool.destroy()
  for (const promise of pending) await t.throwsAsync(promise, { message: 'Terminating worker thread' })
  await destroyed
  t.is(pool.threads.length, 0)
  await t.throwsAsync(pool.run(1), { name: 'AbortError' })
})

both('listeners hear of threads, of messages, and of errors that no task has', async (t, options) => {
  const pool = make(t, options)
  const heard = []
  for (const event of ['workerCreate', 'workerDestroy']) pool.on(event, (worker) => heard.push([event, worker]))
  const message = once(pool, 'message')
  await pool.run({ a: 1 }, { name: 'post' })
  t.deepEqual((await message)[0], { a: 1 })
  const error = once(pool, 'error')
  await pool.run(null, { name: 'failLater' })
  t.is((await error)[0].message, 'later')
  t.is(await pool.run(1), 1)
  await pool.close()
  const names = heard.map(([event]) => event)
  t.is(names.filter((name) => name === 'workerCreate').length, 2)
  t.is(names.filter((name) => name === 'workerDestroy').length, 2)
  t.true(heard.every(([, worker]) => worker.destroyed))
})

both('needsDrain and drain come once a wave', async (t, options) => {
  const gate = gated(t)
  const pool = make(t, options)
  let needed = 0
  pool.on('needsDrain', () => needed++)
  const drained = once(pool, 'drain')
  const pending = [pool.run(gate.cells, { name: 'wait' }), pool.run(1), pool.run(2)]
  t.true(pool.needsDrain)
  gate.open()
  await Promise.all(pending)
  await drained
  t.false(pool.needsDrain)
  t.is(needed, 1)
})

both('what is moved is moved, both ways', async (t, options) => {
  const pool = make(t, options)
  const buffer = new ArrayBuffer(9)
  t.is(await pool.run(Piscina.move(buffer), { name: 'byteLength' }), 9)
  t.is(buffer.byteLength, 0)
  t.is((await pool.run(5, { name: 'moved' }))[4], 7)
  t.deepEqual(await pool.run(4, { name: 'movedObject' }), { pixels: new Uint8Array(4) })
  t.is(await pool.run(null, { name: 'left' }), 0)
  const listed = new ArrayBuffer(3)
  t.is(await pool.run(listed, { name: 'byteLength', transferList: [listed] }), 3)
  t.is(listed.byteLength, 0)
  const input = { [Piscina.transferableSymbol]: new ArrayBuffer(2), [Piscina.valueSymbol]: { byteLength: 2 } }
  t.is(await pool.run(Piscina.move(input), { name: 'byteLength' }), 2)
  t.is(input[Piscina.transferableSymbol].byteLength, 0)
  t.is(Piscina.move(5), 5)
})

both('the caller goes on in its own asynchronous context', async (t, options) => {
  const pool = make(t, options)
  const storage = new AsyncLocalStorage()
  const seen = await Promise.all(
    [1, 2, 3].map((id) => storage.run(id, () => pool.run(id).then((value) => [value, storage.getStore()])))
  )
  t.deepEqual(
    seen,
    [1, 2, 3].map((id) => [id, id])
  )
})

both('a task that waits keeps the process, an idle pool does not', async (t, options) => {
  const { stdout, code } = await program(`
    const Piscina = require(${JSON.stringify(require.resolve('../piscina.js'))})
    const options = ${options === DISPATCHED ? '{ concurrentTasksPerWorker: 2 }' : '{}'}
    const pool = new Piscina({ filename: fixture('piscina.js'), maxThreads: 1, minThreads: 0, ...options })
    for (let i = 0; i < 3; i++) pool.run(i).then(console.log)
  `)
  t.is(stdout, '0\n1\n2\n')
  t.is(code, 0)
})

test('each option is checked, with the words of piscina', (t) => {
  const wrong = {
    filename: [1, 'must be a string or null'],
    minThreads: [-1, 'must be a non-negative integer'],
    maxThreads: [0, 'must be a positive integer'],
    idleTimeout: ['1', 'must be a non-negative integer'],
    maxQueue: ['all', 'must be a non-negative integer'],
    concurrentTasksPerWorker: [0, 'must be a positive integer'],
    atomics: ['on', 'should be a value of sync, sync or disabled.'],
    resourceLimits: [null, 'must be an object'],
    taskQueue: [{ size: 0 }, 'must be a TaskQueue object'],
    closeTimeout: [-1, 'must be a non-negative integer'],
    recordTiming: [1, 'must be a boolean'],
    loadBalancer: [() => null, 'must be a function with at least two args'],
    workerHistogram: [0, 'must be a boolean'],
    stricterFIFO: ['yes', 'must be a boolean']
  }
  for (const [name, [value, must]] of Object.entries(wrong)) {
    t.throws(() => new Piscina({ [name]: value }), { instanceOf: TypeError, message: `options.${name} ${must}` })
  }
  t.throws(() => new Piscina({ minThreads: 2, maxThreads: 1 }), { instanceOf: RangeError })
})

test('the options of a run are checked', async (t) => {
  const pool = make(t)
  await t.throwsAsync(pool.run(1, 1), { message: 'options must be an object' })
  await t.throwsAsync(pool.run(1, { transferList: 1 }), { message: 'transferList argument must be an Array' })
  await t.throwsAsync(pool.run(1, { filename: 1 }), { message: 'filename argument must be a string' })
  await t.throwsAsync(pool.run(1, { name: 1 }), { message: 'name argument must be a string' })
  await t.throwsAsync(pool.run(1, { signal: 1 }), { message: 'signal argument must be an object' })
  await t.throwsAsync(pool.close({ force: 1 }), { message: 'force argument must be a boolean' })
  t.is(await pool.run(1, Object.create({ name: 'fail' })), 1)
})

test('the options are shown with their defaults', (t) => {
  const { options } = make(t, { maxThreads: 3, minThreads: 0, maxQueue: 'auto' })
  t.is(options.maxQueue, 9)
  t.is(options.name, 'default')
  t.true(options.taskQueue instanceof FixedQueue)
  t.is(Object.getPrototypeOf(options), null)
})

for (const Queue of [ArrayTaskQueue, FixedQueue]) {
  test(`${Queue.name} does what an array does`, (t) => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant(['push']) },
      fc.constant(['unshift']),
      { weight: 2, arbitrary: fc.constant(['shift']) },
      fc.record({ at: fc.nat(40) }).map(({ at }) => ['remove', at])
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const queue = new Queue()
        const model = []
        for (const [n, [what, at]] of steps.entries()) {
          const task = { n }
          if (what === 'shift') t.is(queue.shift(), model.shift() ?? null)
          else if (what === 'remove') {
            queue.remove(model[at] ?? task)
            if (at < model.length) model.splice(at, 1)
          } else {
            queue[what](task)
            model[what](task)
          }
          if (queue.size !== model.length) return false
        }
        return model.every((task) => queue.shift() === task) && queue.shift() === null
      })
    )
  })

  test(`an empty ${Queue.name} leaves the tasks to the scheduler`, async (t) => {
    const taskQueue = new Queue()
    taskQueue.push = () => t.fail()
    const pool = make(t, { taskQueue })
    t.deepEqual(await Promise.all([1, 2, 3].map((n) => pool.run(n))), [1, 2, 3])
  })
}

test('a queue of the user decides the order, and sees the options of the inputs', async (t) => {
  const gate = gated(t)
  class ByRank {
    tasks = []
    get size() {
      return this.tasks.length
    }
    push(task) {
      this.tasks.push(task)
      this.tasks.sort((a, b) => a[Piscina.queueOptionsSymbol].rank - b[Piscina.queueOptionsSymbol].rank)
    }
    shift() {
      return this.tasks.shift() ?? null
    }
    remove(task) {
      this.tasks.splice(this.tasks.indexOf(task), 1)
    }
  }
  const pool = make(t, { taskQueue: new ByRank(), minThreads: 1 })
  const running = pool.run(gate.cells, { name: 'wait' })
  const order = []
  const pending = [3, 1, 2].map((rank) =>
    pool.run({ rank, [Piscina.queueOptionsSymbol]: { rank } }).then((value) => order.push(value.rank))
  )
  gate.open()
  await Promise.all([running, ...pending])
  t.deepEqual(order, [1, 2, 3])
})

test('a load balancer chooses among the threads', async (t) => {
  const chosen = []
  const pool = make(t, {
    minThreads: 3,
    maxThreads: 3,
    loadBalancer: (task, workers) => {
      t.false(task.isAbortable)
      t.true(Number.isInteger(task.taskId))
      chosen.push(workers.length)
      // In turn. The ids of tasks are the process', and other tests take some.
      return workers[chosen.length % 2 ? 0 : 2]
    },
    workerHistogram: true
  })
  const ids = pool.threads.map(({ threadId }) => threadId)
  const seen = new Set()
  for (let i = 0; i < 6; i++) seen.add((await pool.run(null, { name: 'about' })).threadId)
  t.deepEqual(
    [...seen].sort((a, b) => a - b),
    [ids[0], ids[2]].sort((a, b) => a - b)
  )
  t.true(chosen.every((count) => count === 3))
})

test('abortable tasks do not share a thread', async (t) => {
  const pool = make(t, { concurrentTasksPerWorker: 3 })
  const controller = new AbortController()
  const others = [1, 2].map((value) => pool.run({ ms: 5, value }, { name: 'pause' }))
  const alone = pool.run(null, { name: 'never', signal: controller.signal })
  t.is(pool.queueSize, 1)
  t.deepEqual(await Promise.all(others), [1, 2])
  const after = pool.run(3)
  t.is(pool.queueSize, 1)
  controller.abort()
  await t.throwsAsync(alone, { name: 'AbortError' })
  t.is(await after, 3)
})

for (const minThreads of [0, 1]) {
  test(`what waits goes on when the only thread is ended, also while the pool closes: minThreads ${minThreads}`, async (t) => {
    for (const options of [{}, DISPATCHED]) {
      const gate = gated(t)
      const pool = make(t, { ...options, minThreads })
      const controller = new AbortController()
      const running = pool.run(gate.cells, { name: 'wait', signal: controller.signal })
      const waiting = [pool.run(1), pool.run(2, { signal: new AbortController().signal })]
      await gate.arrival()
      const closing = pool.close()
      controller.abort()
      await t.throwsAsync(running, { name: 'AbortError' })
      t.deepEqual(await Promise.all(waiting), [1, 2])
      await closing
    }
  })
}

test('threads go when they are idle, down to the minimum', async (t) => {
  // An idle pool keeps no process.
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(alive))
  for (const options of [{}, DISPATCHED]) {
    const gates = [gated(t), gated(t)]
    const pool = make(t, { ...options, minThreads: 1, maxThreads: 2, idleTimeout: 0 })
    const gone = once(pool, 'workerDestroy')
    const pending = gates.map(({ cells }) => pool.run(cells, { name: 'wait' }))
    t.is(pool.threads.length, 2)
    t.is(pool.idleThreads, 0)
    // One thread may be done with both before the other has started.
    await Promise.all(gates.map((gate) => gate.arrival()))
    for (const gate of gates) gate.open()
    await Promise.all(pending)
    await gone
    t.is(pool.threads.length, 1)
    t.is(pool.idleThreads, 1)
  }
})

test('a script that cannot be loaded rejects, and starts no storm', async (t) => {
  for (const options of [{}, DISPATCHED]) {
    const pool = make(t, { ...options, filename: fixture('dies.js'), minThreads: 1 })
    pool.on('error', () => {})
    for (let i = 0; i < 3; i++) t.truthy(await t.throwsAsync(pool.run(1)))
    t.true(pool.threads.length <= 1)
  }
})

both('times are recorded unless they are not wanted', async (t, options) => {
  const pool = make(t, options)
  t.is(pool.utilization, 0)
  await Promise.all([1, 2, 3].map((value) => pool.run({ ms: 2, value }, { name: 'pause' })))
  const { runTime, waitTime } = pool.histogram
  for (const { min, mean, average, max, p50, p99_9 } of [runTime, waitTime]) {
    t.true(min > 0 && min <= p50 && p50 <= p99_9 && p99_9 <= max * 1.02)
    t.is(mean, average)
  }
  t.true(pool.utilization > 0 && pool.utilization < 1)
  pool.histogram.resetRunTime()
  t.is(pool.histogram.runTime.max, 0)
  t.true(pool.histogram.waitTime.max > 0)

  const untimed = make(t, { ...options, recordTiming: false })
  await untimed.run(1)
  t.is(untimed.histogram.runTime, undefined)
  t.is(untimed.utilization, 0)
  untimed.histogram.resetWaitTime()
})

test('it is disposed of as piscina is', async (t) => {
  const pool = make(t)
  const closed = once(pool, 'close')
  const last = pool.run(1)
  pool[Symbol.dispose ?? Symbol.for('nodejs.dispose')]()
  t.is(await last, 1)
  await closed
  await make(t)[Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]()
})
