'use strict'

const test = require('ava')
const { AtomicCounters } = require('../index.js')
const { fixture, makePool, program, taskPool } = require('./helpers')

/** Blocks this thread until the counter gets there. It must not need this thread to do so. */
function blockUntil(view, index, count) {
  const end = Date.now() + 30_000
  for (let there; (there = Atomics.load(view, index)) < count && Date.now() < end; )
    Atomics.wait(view, index, there, 1000)
  return Atomics.load(view, index)
}

test('script tasks that are queued go on while the main thread is blocked', async (t) => {
  const done = new Int32Array(new SharedArrayBuffer(4))
  const pool = makePool(t, { maxThreads: 2, workerData: done })
  const count = (n) => {
    const { workerData } = require('node:worker_threads')
    Atomics.add(workerData, 0, 1)
    Atomics.notify(workerData, 0)
    return n
  }
  await Promise.all([pool.runTask(count, 0), pool.runTask(count, 0)])
  const before = done[0]
  const pending = Array.from({ length: 500 }, (_, n) => pool.runTask(count, n))
  t.is(blockUntil(done, 0, before + 500), before + 500)
  t.deepEqual(
    await Promise.all(pending),
    Array.from({ length: 500 }, (_, n) => n)
  )
})

test('inputs and results of every size go on too', async (t) => {
  const done = new Int32Array(new SharedArrayBuffer(4))
  const pool = makePool(t, { maxThreads: 1, workerData: done })
  const echo = (value) => {
    const { workerData } = require('node:worker_threads')
    Atomics.add(workerData, 0, 1)
    Atomics.notify(workerData, 0)
    return value
  }
  await pool.runTask(echo, 0)
  const inputs = [new Uint8Array(1_000_000).fill(1), 'x'.repeat(100_000), { list: new Array(1000).fill({ a: 1 }) }, 5n]
  const pending = inputs.map((input) => pool.runTask(echo, input))
  t.is(blockUntil(done, 0, 1 + inputs.length), 1 + inputs.length)
  t.deepEqual(await Promise.all(pending), inputs)
})

test('what only a port carries gets to workers that start while the main thread is blocked', async (t) => {
  const { pool, gate } = taskPool(t, { minThreads: 2, maxThreads: 2 })
  const shared = new Int32Array(new SharedArrayBuffer(4))
  const pending = [1, 2].map(() => pool.run(shared, { name: 'block' }))
  t.is(blockUntil(gate.cells, 0, 2), 2)
  gate.open()
  await Promise.all(pending)
})

test('a task that was given to a starting worker ends with it, and is given up with it', async (t) => {
  const shared = new Int32Array(new SharedArrayBuffer(4))
  const broken = makePool(t, { filename: 'data:text/javascript,throw new Error("no start")', minThreads: 1 })
  const error = await t.throwsAsync(broken.run(shared), { code: 'ERR_RSPOOL_WORKER_START' })
  t.regex(error.message, /no start/)

  const { pool } = taskPool(t, { minThreads: 1, maxThreads: 1, abortGrace: 0 })
  const controller = new AbortController()
  const aborted = pool.run(shared, { signal: controller.signal })
  controller.abort()
  await t.throwsAsync(aborted, { code: 'ABORT_ERR' })
  t.is(await pool.run(1), 1)
})

test('native tasks go on while the main thread is blocked', async (t) => {
  const counters = new AtomicCounters(['done'])
  const pool = makePool(t, { maxThreads: 2 })
  const pending = Array.from({ length: 500 }, (_, n) => pool.runTask('hash.crc32', `${n}`, { counters }))
  const end = Date.now() + 30_000
  while (counters.get('done') < 500 && Date.now() < end);
  t.is(counters.get('done'), 500)
  await Promise.all(pending)
})

test('time limits hold while the main thread is blocked', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, abortGrace: 60_000 })
  await pool.run(1)
  const stopped = pool.runTask('loopUntilAborted', null, { timeout: 20 })
  // The script saw its abort, which came without this thread.
  t.is(blockUntil(gate.cells, 1, 7), 7)
  await t.throwsAsync(stopped, { code: 'ERR_RSPOOL_TASK_TIMEOUT' })
})

test("a process whose main thread is blocked by a task's result is not held up by it", async (t) => {
  const { code, stdout } = await program(`
    const pool = new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 1 })
    pool.run('x'.repeat(100_000)).then((text) => {
      const end = Date.now() + 50
      while (Date.now() < end);
      console.log(text.length)
    })
  `)
  t.is(stdout, '100000\n')
  t.is(code, 0)
  t.truthy(fixture('tasks.js'))
})
