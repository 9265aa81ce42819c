'use strict'

// A pool behind a BullMQ worker, for applications that have BullMQ already.

const test = require('ava')

const { randomUUID } = require('node:crypto')
const fs = require('node:fs')
const { Queue, QueueEvents, Worker, FlowProducer } = require('bullmq')
const { Pool } = require('../..')
const { createProcessor, guard } = require('../../bullmq')
const { logFile, written, until, FILENAME } = require('./conformance')
const { Redis } = require('./servers')

// An engine that was killed leaves clients behind that would try again for ever.
import('ava').then(({ registerCompletionHandler }) => registerCompletionHandler(() => process.exit()))

/** @type {Redis} */
let redis
test.before(async () => {
  redis = /** @type {Redis} */ (await Redis.start())
})
test.after.always(() => redis?.stop())

/** Long enough for a busy machine. */
const LOCK = 5000

/**
 * A queue, a pool, and a worker of it.
 * @param {import('ava').ExecutionContext} t
 * @param {object} options of the processor
 * @param {{ url?: string, pool?: object, worker?: object }} [more]
 */
async function set(t, options, { url = redis.url, pool: given = {}, worker: more = {} } = {}) {
  const name = `bullmq-${randomUUID()}`
  const pool = new Pool({ filename: FILENAME, maxThreads: 2, abortGrace: 50, ...given })
  const queue = new Queue(name, { connection: { url: redis.url } })
  const events = new QueueEvents(name, { connection: { url: redis.url } })
  await events.waitUntilReady()
  const worker = new Worker(name, createProcessor(pool, options), {
    connection: { url, maxRetriesPerRequest: null },
    lockDuration: LOCK,
    stalledInterval: LOCK,
    ...more
  })
  const guarded = guard(worker, pool)
  await worker.waitUntilReady()
  t.teardown(async () => {
    await guarded.close({ grace: 0 })
    await Promise.all([queue.close(), events.close(), pool.destroy()])
  })
  return { name, pool, queue, events, worker, guarded }
}

const TASKS = ['add', 'echo', 'fail', 'spin', 'hold', 'progress', 'block']

test('the name of a job is a function of the script, its data the input, its result the return value', async (t) => {
  const { queue, events } = await set(t, { tasks: [...TASKS, 'hash.crc32'] })
  const job = await queue.add('add', { a: 40, b: 2 })
  t.is(await job.waitUntilFinished(events), 42)
})

test('a job with a name that is not in the list fails for good, whatever attempts it has', async (t) => {
  const { queue, events } = await set(t, { tasks: TASKS })
  for (const name of ['die', '__proto__', 'constructor', 'then', '']) {
    const job = await queue.add(name, 1, { attempts: 5 })
    await t.throwsAsync(() => job.waitUntilFinished(events), { message: /No task of this worker/ })
    t.is((await queue.getJob(String(job.id)))?.attemptsMade, 1)
  }
})

test('no job can name a file or code, also where its data and options are handed on', async (t) => {
  const marker = logFile()
  const code = `data:text/javascript,import fs from 'node:fs'; export default () => fs.writeFileSync('${marker}', '')`
  const { queue, events } = await set(t, {
    map: (/** @type {any} */ { data }) => ({ task: data.task, input: data.input, options: data.options })
  })
  const options = { filename: code, name: 'default', execArgv: ['--eval', '1'], timeout: 5000 }
  const job = await queue.add('any', { task: 'add', input: { a: 1, b: 2 }, options })
  t.is(await job.waitUntilFinished(events), 3)
  t.false(fs.existsSync(marker))
})

test('what a job calls is what map gives for it', async (t) => {
  const { queue, events } = await set(t, {
    map: (/** @type {any} */ job) => ({ task: 'add', input: { a: job.data, b: 1 }, options: { priority: -5 } })
  })
  t.is(await (await queue.add('anything', 6)).waitUntilFinished(events), 7)
})

test('attempts, progress and the text of errors are as with any processor', async (t) => {
  const { queue, events } = await set(t, { tasks: TASKS })
  const failing = await queue.add('fail', null, { attempts: 2 })
  await t.throwsAsync(() => failing.waitUntilFinished(events), { message: 'bad line' })
  t.is((await queue.getJob(String(failing.id)))?.attemptsMade, 2)
  const job = await queue.add('progress', 20)
  t.is(await job.waitUntilFinished(events), 20)
  t.deepEqual((await queue.getJob(String(job.id)))?.progress, { i: 20 })
})

test('a flow waits for its children', async (t) => {
  const { name } = await set(t, { tasks: TASKS })
  const flow = new FlowProducer({ connection: { url: redis.url } })
  const tree = await flow.add({
    name: 'echo',
    queueName: name,
    data: 'parent',
    children: [1, 2].map((i) => ({ name: 'add', queueName: name, data: { a: i, b: i } }))
  })
  await until(async () => (await tree.job.getState()) === 'completed')
  t.deepEqual(Object.values(await tree.job.getChildrenValues()).sort(), [2, 4])
  await flow.close()
})

test('the worker takes as many jobs as its pool can run, also after that was resized', async (t) => {
  const { worker, pool, queue, events } = await set(t, { tasks: TASKS }, { pool: { maxThreads: 3 } })
  t.is(worker.concurrency, 3)
  pool.resize({ maxThreads: 5 })
  await (await queue.add('echo', 1)).waitUntilFinished(events)
  t.is(worker.concurrency, 5)
})

test('cancelJob ends an endless loop', async (t) => {
  const { worker, queue, events, pool } = await set(t, { tasks: TASKS })
  const job = await queue.add('spin', 0)
  await until(async () => pool.stats().running === 1)
  worker.cancelJob(String(job.id), 'no longer wanted')
  await t.throwsAsync(() => job.waitUntilFinished(events), { message: /no longer wanted/ })
  await until(async () => pool.stats().running === 0)
})

test('a worker that is closed gives back what is not done in its grace, and no attempt is counted', async (t) => {
  const { queue, guarded, pool } = await set(t, { tasks: TASKS })
  const log = logFile()
  const job = await queue.add('hold', { ms: 60_000, log })
  await written(log, /start/)
  await guarded.close({ grace: 10 })
  t.is(pool.stats().running, 0)
  t.is(await job.getState(), 'waiting')
  t.is((await queue.getJob(String(job.id)))?.attemptsMade, 0)
})

test('a job that was delivered again runs in a process of its own', async (t) => {
  const { queue, events } = await set(t, { tasks: ['pid', ...TASKS], quarantine: 'always' })
  const error = await t.throwsAsync(async () => (await queue.add('pid', 1)).waitUntilFinished(events))
  t.regex(error.message, /pid/)
  t.is(await (await queue.add('add', { a: 1, b: 2 })).waitUntilFinished(events), 3)
})

test('a sandbox file runs unchanged: its job can be asked and told', async (t) => {
  const file = `${logFile()}.js`
  fs.writeFileSync(
    file,
    `module.exports = async (job) => {
      await job.updateProgress(50)
      await job.log('half')
      if (job.data.later && job.attemptsMade === 0 && !job.data.moved) {
        await job.updateData({ ...job.data, moved: true })
        await job.moveToDelayed(Date.now() + 10, job.token)
        const error = new Error('later')
        error.name = 'DelayedError'
        throw error
      }
      return { id: job.id, name: job.name, data: job.data }
    }`
  )
  const { queue, events } = await set(t, { sandbox: true }, { pool: { filename: file } })
  const job = await queue.add('anything', { n: 1 })
  t.deepEqual(await job.waitUntilFinished(events), { id: job.id, name: 'anything', data: { n: 1 } })
  t.is((await queue.getJob(String(job.id)))?.progress, 50)
  t.deepEqual((await queue.getJobLogs(String(job.id))).logs, ['half'])
  const moved = await queue.add('later', { later: true })
  t.like(await moved.waitUntilFinished(events), { data: { later: true, moved: true } })
})

test('bad options are refused when the processor is made', (t) => {
  const pool = new Pool()
  for (const options of [
    {},
    { tasks: 'add' },
    { tasks: [''] },
    { map: 1 },
    { tasks: ['a'], filename: 'x' },
    { tasks: ['a'], quarantine: true }
  ])
    t.throws(() => createProcessor(pool, /** @type {never} */ (options)), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
  t.throws(() => guard(/** @type {never} */ ({}), pool), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
  return pool.close()
})

test('errors of the engine end no process', async (t) => {
  const { worker, guarded } = await set(t, { tasks: TASKS })
  worker.emit('error', new Error('a reset'))
  t.is(guarded.stats().errors, 1)
})
