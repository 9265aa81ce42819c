'use strict'

// What is told of tasks that have not ended, and of how calls have ended.

const test = require('ava')
const { failure, makePool, taskPool } = require('./helpers')

/** Looks until it is as expected; the test's time limit ends it otherwise. */
async function until(look) {
  for (;;) {
    const value = look()
    if (value) return value
    await new Promise(setImmediate)
  }
}

test('a task that hangs has a name, a time, and counts as work while it runs', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, abortGrace: 0 })
  const hanging = pool.runTask('loop')
  await gate.arrival()
  const waiting = pool.runTask('square', 3)
  await until(() => pool.stats().oldestRunning > 20)
  const stats = pool.stats()
  const [{ tasks, busyTime, running }] = stats.workers
  t.is(running, 1)
  t.deepEqual(Object.keys(tasks[0]), ['id', 'task', 'running'])
  t.is(tasks[0].task, 'loop')
  t.true(Number.isInteger(tasks[0].id))
  t.is(tasks[0].running, stats.oldestRunning)
  t.is(busyTime, tasks[0].running)
  t.true(stats.utilization > 0)
  t.true(0 < stats.oldestQueued && stats.oldestQueued < stats.oldestRunning + 1000)
  await pool.destroy()
  await Promise.all([failure(hanging), failure(waiting)])
  const last = pool.stats()
  t.deepEqual([last.oldestQueued, last.oldestRunning], [null, null])
})

test('the oldest tasks are told whichever way they wait, and null where there are none', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, minThreads: 1 })
  await pool.run(0)
  t.like(pool.stats(), { oldestQueued: null, oldestRunning: null })
  const running = pool.runTask('pause')
  await gate.arrival()
  const ways = [{ priority: 3 }, { deadline: Date.now() + 60_000 }, { group: 'some' }, { affinity: 'key' }, {}]
  const waiting = []
  let oldest = 0
  for (const options of ways) {
    waiting.push(pool.runTask('square', 2, options))
    await until(() => pool.stats().oldestQueued > oldest)
    oldest = pool.stats().oldestQueued
  }
  t.true(pool.stats().oldestRunning > oldest)
  gate.open()
  t.deepEqual(await Promise.all(waiting), [4, 4, 4, 4, 4])
  await running
  t.like(pool.stats(), { oldestQueued: null, oldestRunning: null })
})

test('several tasks of a worker are each told', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, concurrentTasksPerWorker: 3 })
  const tasks = [pool.runTask('pause'), pool.runTask('never'), pool.runTask(() => new Promise(() => {}))]
  for (const task of tasks) task.catch(() => {})
  await gate.arrival(2)
  const named = await until(() => {
    const [worker] = pool.stats().workers
    return worker.tasks.length === 3 && worker.tasks
  })
  t.deepEqual(named.map(({ task }) => task).sort(), ['(inline)', 'never', 'pause'])
  t.is(new Set(named.map(({ id }) => id)).size, 3)
})

test('a native task is told by its name', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const running = pool.runTask('math.fibonacci', 44, { timeout: 10_000 })
  const [{ task }] = await until(() => {
    const worker = pool.stats().workers.find(({ lane }) => lane === 'native')
    return worker?.tasks.length === 1 && worker.tasks
  })
  t.is(task, 'math.fibonacci')
  await pool.destroy()
  await failure(running)
})

test('each way to fail is counted by itself, and their sum is what failed', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, maxQueue: 1, maxInputSize: 1000, abortGrace: 60_000 })
  const counted = { ...pool.stats().outcomes }
  t.deepEqual(Object.keys(counted).sort(), [
    'aborted',
    'clone',
    'closed',
    'deadline',
    'panic',
    'queueTimeout',
    'refused',
    'thrown',
    'timeout',
    'workerExit',
    'workerStart'
  ])
  const one = async (name, task) => {
    await failure(task())
    counted[name]++
    t.deepEqual(pool.stats().outcomes, counted, name)
  }
  await one('thrown', () => pool.runTask('throws'))
  await one('thrown', () => pool.runTask('decompress.gzip', 'not compressed'))
  await one('clone', () => pool.runTask('uncloneable'))
  await one('clone', () => pool.runTask(async () => () => {}))
  await one('clone', () => pool.run(() => {}))
  await one('clone', () => pool.runTask('square', new WeakMap()))
  await one('aborted', () => pool.run(1, { signal: AbortSignal.abort() }))
  await one('refused', () => pool.run('x'.repeat(2000)))
  await one('workerExit', () => pool.runTask('exits', 3))
  await one('workerExit', () => pool.runTask('uncaught'))
  await one('timeout', () => pool.runTask(() => new Promise(() => {}), [], { timeout: 20 }))
  const running = pool.runTask('pause')
  await gate.arrival()
  await one('queueTimeout', () => pool.runTask('square', 1, { queueTimeout: 1 }))
  await one('deadline', () => pool.runTask('square', 1, { deadline: Date.now() + 20 }))
  await one('aborted', () => pool.runTask('square', 1, { signal: AbortSignal.timeout(1) }))
  const waiting = pool.runTask('square', 1)
  await one('refused', () => pool.runTask('square', 1))
  pool.cancelQueued()
  await one('aborted', () => waiting)
  t.is(pool.stats().failed, 14)
  gate.open()
  await running
  const last = failure(pool.runTask('never'))
  await until(() => pool.stats().running === 1)
  await pool.destroy()
  await last
  counted.closed++
  t.deepEqual(pool.stats().outcomes, counted)
  t.is(pool.stats().failed, 15)
  const lines = pool.metrics().split('\n')
  for (const [name, count] of Object.entries({ completed: 1, ...counted }))
    t.true(lines.some((line) => line.startsWith('rspool_tasks_total{') && line.endsWith(`outcome="${name}"} ${count}`)))
})

test('tasks for which no worker could be started are counted as such', async (t) => {
  const pool = makePool(t, { filename: '/does/not/exist.js', maxThreads: 1 })
  await failure(pool.run(1))
  t.like(pool.stats(), { failed: 1, completed: 0 })
  t.is(pool.stats().outcomes.workerStart, 1)
})
