'use strict'

const path = require('node:path')
const test = require('ava')
const { WorkerPool } = require('../index.js')
const { directory, failure, makePool, outcomes } = require('./helpers')

/** A pool over a script that only knows its parentPort. */
function barePool(t, body, options = {}, file = 'bare.js') {
  const source = `const { parentPort, workerData } = require('node:worker_threads')\n${body}`
  const filename = path.join(directory(t, { [file]: source }), file)
  return makePool(t, { filename, maxThreads: 1, ...options })
}

const double = `parentPort.on('message', (n) => parentPort.postMessage(2 * n))`

test('each input is a message, and the first message posted is the result', async (t) => {
  const pool = barePool(t, double)
  t.is(await pool.run(21), 42)
  t.deepEqual(await Promise.all([1, 2, 3].map((n) => pool.run(n))), [2, 4, 6])
})

test('WorkerPool runs it, as the tutorials do', async (t) => {
  const dir = directory(t, {
    'worker.js': `const { parentPort } = require('worker_threads')
parentPort.on('message', ({ data }) => { parentPort.postMessage({ result: data * 2 }) })`
  })
  const pool = new WorkerPool(2, path.join(dir, 'worker.js'))
  t.teardown(() => pool.destroy())
  const results = await Promise.all(Array.from({ length: 50 }, (_, n) => pool.runTask({ data: n })))
  t.deepEqual(
    results,
    Array.from({ length: 50 }, (_, n) => ({ result: 2 * n }))
  )
})

test('an ES module works as well', async (t) => {
  const dir = directory(t, {
    'bare.mjs': `import { parentPort } from 'node:worker_threads'
parentPort.on('message', (n) => parentPort.postMessage(n + 1))`
  })
  const pool = makePool(t, { filename: path.join(dir, 'bare.mjs'), maxThreads: 1 })
  t.is(await pool.run(1), 2)
})

test('results may come later, one task at a time', async (t) => {
  const pool = barePool(
    t,
    `let busy = 0
parentPort.on('message', (n) => {
  if (++busy > 1) throw new Error('two at once')
  setTimeout(() => { busy--; parentPort.postMessage(n) }, 1)
})`,
    { concurrentTasksPerWorker: 4 }
  )
  t.deepEqual(await Promise.all([1, 2, 3, 4, 5].map((n) => pool.run(n))), [1, 2, 3, 4, 5])
})

test('a listener added with addEventListener or onmessage works', async (t) => {
  for (const body of [
    `parentPort.addEventListener('message', ({ data }) => parentPort.postMessage(data + 1))`,
    `parentPort.onmessage = ({ data }) => parentPort.postMessage(data + 1)`
  ]) {
    const pool = barePool(t, body)
    t.is(await pool.run(1, { queueTimeout: 20_000, timeout: 20_000 }), 2)
  }
})

test('a result is as it was when it was posted', async (t) => {
  const pool = barePool(
    t,
    `parentPort.on('message', () => {
  const list = [1]
  parentPort.postMessage(list)
  list.push(2)
})`
  )
  t.deepEqual(await pool.run(), [1])
})

test('a result may be transferred', async (t) => {
  const pool = barePool(
    t,
    `parentPort.on('message', (n) => {
  const bytes = new Uint8Array(n).fill(5)
  if (n % 2) parentPort.postMessage(bytes, [bytes.buffer])
  else parentPort.postMessage(bytes, { transfer: [bytes.buffer] })
})`
  )
  for (const n of [3, 100_000]) t.deepEqual(await pool.run(n), new Uint8Array(n).fill(5))
})

test('a result that cannot be cloned throws at the script, as it would without a pool', async (t) => {
  const pool = barePool(
    t,
    `parentPort.on('message', () => {
  try { parentPort.postMessage(() => {}) } catch (error) { parentPort.postMessage(error.name) }
})`
  )
  t.is(await pool.run(), 'DataCloneError')
})

test('what it throws rejects that task with the original error, and the worker is replaced', async (t) => {
  const pool = barePool(
    t,
    `const { threadId } = require('node:worker_threads')
parentPort.on('message', (n) => {
  if (n === 1) throw Object.assign(new RangeError('no ones'), { code: 'E_ONE' })
  parentPort.postMessage(threadId)
})`
  )
  const before = await pool.run(0)
  const error = await failure(pool.run(1))
  t.true(error instanceof RangeError)
  t.is(error.message, 'no ones')
  t.is(error.code, 'E_ONE')
  t.not(await pool.run(0), before)
})

test('a rejection of an asynchronous listener rejects the task', async (t) => {
  const pool = barePool(t, `parentPort.on('message', async () => { throw new TypeError('later') })`)
  const error = await failure(pool.run(0))
  t.is(error.name, 'TypeError')
  t.is(error.message, 'later')
})

test('one that exits or never answers settles too, and the pool works on', async (t) => {
  const pool = barePool(
    t,
    `parentPort.on('message', (n) => {
  if (n === 'exit') process.exit(4)
  if (n !== 'silence') parentPort.postMessage(n)
})`,
    { abortGrace: 10 }
  )
  t.deepEqual(await outcomes([pool.run('exit'), pool.run('silence', { timeout: 30 }), pool.run(3)]), [
    'ERR_RSPOOL_WORKER_EXIT',
    'ERR_RSPOOL_TASK_TIMEOUT',
    'ok'
  ])
})

test('further messages of a task are events of the pool', async (t) => {
  const pool = barePool(
    t,
    `parentPort.on('message', (n) => { parentPort.postMessage(n); parentPort.postMessage({ log: n }) })`
  )
  const message = new Promise((resolve) => pool.once('message', resolve))
  t.is(await pool.run(1), 1)
  t.deepEqual(await message, { log: 1 })
})

test("workerData is the user's own", async (t) => {
  const pool = barePool(t, `parentPort.on('message', () => parentPort.postMessage(workerData))`, {
    workerData: { own: true }
  })
  t.deepEqual(await pool.run(), { own: true })
})

test('a script that neither exports nor listens says so', async (t) => {
  const pool = barePool(t, '')
  const error = await t.throwsAsync(pool.run(1), { code: 'ERR_RSPOOL_UNKNOWN_TASK' })
  t.regex(error.message, /exports no function/)
})

test('a named export of a bare script is not there', async (t) => {
  const pool = barePool(t, double)
  await t.throwsAsync(pool.run(1, { name: 'double' }), { code: 'ERR_RSPOOL_UNKNOWN_TASK' })
  t.is(await pool.run(2), 4)
})
