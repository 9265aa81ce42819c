'use strict'

// `runSync` blocks its thread: whatever happens to the task meanwhile, it comes back, and what else was in
// flight settles afterwards.

const path = require('node:path')
const { Worker } = require('node:worker_threads')
const test = require('ava')
const { byPort } = require('./by-port')
const { directory, fixture, makePool, program, root, rspool, taskPool } = require('./helpers')

const { runTaskSync, errors } = rspool

/** How a call ends: 'ok', or its code. */
function outcome(call) {
  try {
    call()
    return 'ok'
  } catch (error) {
    return error?.code ?? error?.name
  }
}

test('gives what run gives, in either lane', (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  t.is(pool.runSync('fresh isolate'), 'fresh isolate')
  t.is(pool.runSync(7, { name: 'square' }), 49)
  t.is(pool.runTaskSync('asyncSquare', 7), 49)
  t.is(
    pool.runTaskSync((a, b) => a + b, [1, 2]),
    3
  )
  t.is(pool.runTaskSync({ filename: fixture('tasks.js'), name: 'square' }, 3), 9)
  t.deepEqual(pool.runSync({ any: 'input' }), { any: 'input' })
  t.is(pool.runTaskSync('hash.crc32', 'text'), 999008199)
  t.is(
    runTaskSync(() => 'default pool'),
    'default pool'
  )
  t.is(runTaskSync('hash.sha256', '', { params: { encoding: 'hex' } }).length, 64)
})

test('takes and gives every kind of value', (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const big = 'x'.repeat(1_000_000)
  for (const value of [
    undefined,
    null,
    -0,
    10n,
    'é☃',
    big,
    { a: [1, { b: new Date(0) }] },
    /a pattern/g,
    byPort(),
    new Map([[1, 2]])
  ])
    t.deepEqual(pool.runSync(value), value)
  t.deepEqual(pool.runTaskSync('moved', 4), new Uint8Array(4).fill(7))
  const buffer = new ArrayBuffer(8)
  t.is(pool.runSync(buffer, { transferList: [buffer] }).byteLength, 8)
  t.is(buffer.byteLength, 0)
  const shared = new SharedArrayBuffer(8)
  t.true(pool.runSync(shared) instanceof SharedArrayBuffer)
})

test('a queued input that only a port carries is asked for', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const first = pool.runTask('block')
  await gate.arrival()
  const queued = pool.run(byPort())
  // Another thread, since this one is about to be blocked.
  const opener = new Worker(
    `const { workerData: cells } = require('node:worker_threads')
     setTimeout(() => { Atomics.store(cells, 1, 1); Atomics.notify(cells, 1) }, 20)`,
    { eval: true, workerData: gate.cells }
  )
  t.deepEqual(pool.runSync([byPort(), 1]), [byPort(), 1])
  t.is(typeof (await first), 'number')
  t.deepEqual(await queued, byPort())
  await opener.terminate()
})

test('what the task throws is thrown, whole', (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const error = t.throws(() => pool.runTaskSync('throws'), { instanceOf: RangeError, code: 'E_RANGE' })
  t.deepEqual(error.detail, { n: 1 })
  t.regex(error.stack, /tasks\.js/)
  t.is(
    outcome(() => pool.runTaskSync('rejects')),
    'E_RANGE'
  )
  t.is(
    outcome(() => pool.runTaskSync('uncloneable')),
    25
  )
  t.is(
    outcome(() => pool.runSync(() => {})),
    25
  )
  t.is(
    outcome(() => pool.runTaskSync('decompress.gzip', Buffer.from('x'))),
    'ERR_RSPOOL_CORRUPT_INPUT'
  )
  t.is(
    outcome(() => pool.runTaskSync('missing')),
    'ERR_RSPOOL_UNKNOWN_TASK'
  )
})

test('a worker that dies is noticed and replaced, again and again', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const exits = []
  pool.on('workerExit', ({ exitCode }) => exits.push(exitCode))
  const error = t.throws(() => pool.runTaskSync('exits', 3), { code: 'ERR_RSPOOL_WORKER_EXIT' })
  t.is(error.exitCode, 3)
  t.is(pool.runSync('next'), 'next')
  t.is(t.throws(() => pool.runTaskSync('exitsLater', 4), { code: 'ERR_RSPOOL_WORKER_EXIT' }).exitCode, 4)
  t.throws(() => pool.runTaskSync('uncaught'), { instanceOf: TypeError, message: 'thrown in the background' })
  t.throws(() => pool.runTaskSync('unhandled'), { instanceOf: TypeError, message: 'rejected in the background' })
  t.is(pool.runSync('next'), 'next')
  t.is(await pool.run('and later'), 'and later')
  await pool.close()
  t.deepEqual(exits.slice(0, 4), [3, 4, 1, 1])
  t.is(exits.length, 5)
})

test('one that died before the thread was blocked does not take its place with it', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  for (let turns = 0; turns < 20; turns++) {
    await pool.run('ready')
    const dying = t.throwsAsync(pool.runTask('exits', 5), { code: 'ERR_RSPOOL_WORKER_EXIT' })
    for (let i = 0; i < turns; i++) await new Promise(setImmediate)
    t.is(pool.runSync('mine'), 'mine')
    t.is((await dying).exitCode, 5)
  }
})

test('a result that waits for its output since before the thread was blocked does not keep its worker', async (t) => {
  const marks = new Int32Array(new SharedArrayBuffer(4))
  const script = `const { workerData: marks } = require('node:worker_threads')
    const held = () => { Atomics.store(marks, 0, 1); Atomics.notify(marks, 0) }
    exports.prints = () => { process.stdout.write('read by nobody who is blocked'); setImmediate(held); return 'printed' }
    exports.echo = (value) => value`
  const filename = path.join(directory(t, { 'prints.js': script }), 'prints.js')
  const pool = makePool(t, { filename, name: 'echo', maxThreads: 1, stdout: 'ignore', workerData: marks })
  await pool.run('ready')
  const printed = pool.runTask('prints')
  // No turn of the loop from here on: what the isolate says about its result is in the port.
  t.not(Atomics.wait(marks, 0, 0, 60_000), 'timed-out')
  t.is(pool.runSync('next', { queueTimeout: 30_000 }), 'next')
  t.is(await printed, 'printed')
})

test('retries start again on another isolate', (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const error = t.throws(() => pool.runTaskSync('exits', 1, { retries: 2 }), { code: 'ERR_RSPOOL_WORKER_EXIT' })
  t.is(error.attempts, 3)
})

test('time limits hold, and an isolate that ignores them is terminated', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, abortGrace: 0 })
  for (const name of ['never', 'loop'])
    t.throws(() => pool.runTaskSync(name, null, { timeout: 5 }), { code: 'ERR_RSPOOL_TASK_TIMEOUT' })
  t.throws(() => pool.runTaskSync('never', null, { deadline: Date.now() + 5 }), { code: 'ERR_RSPOOL_DEADLINE' })
  t.throws(() => pool.runTaskSync('math.countPrimes', 2 ** 53 - 1, { timeout: 5 }), { code: 'ERR_RSPOOL_TASK_TIMEOUT' })
  t.is(pool.runSync('works on'), 'works on')
  const before = gate.arrived
  const blocker = pool.runTask('block')
  await gate.arrival(before + 1)
  t.throws(() => pool.runSync(1, { queueTimeout: 5 }), { code: 'ERR_RSPOOL_QUEUE_TIMEOUT' })
  gate.open()
  await blocker
})

test('a script that cannot be loaded throws, also while the next try is held back', async (t) => {
  const pool = makePool(t, { filename: '/no/such.js', maxThreads: 1 })
  for (let i = 0; i < 3; i++) {
    const error = t.throws(() => pool.runSync(i), { code: 'ERR_RSPOOL_WORKER_START' })
    t.regex(error.message, /no.such\.js/)
    t.truthy(error.cause)
  }
  await t.throwsAsync(pool.run(1), { code: 'ERR_RSPOOL_WORKER_START' })
})

test('an isolate that ends before any code of ours runs is given up', async (t) => {
  const dir = directory(t, { 'exits.js': 'process.exit(9)' })
  // In a process of its own, since it is blocked for that long.
  const { stdout } = await program(`
    const pool = new rspool.Pool({ maxThreads: 1, execArgv: ['--require', ${JSON.stringify(`${dir}/exits.js`)}] })
    try {
      pool.runTaskSync(() => 1)
    } catch ({ code, message }) {
      console.log(code, message)
    }`)
  t.regex(stdout, /^ERR_RSPOOL_WORKER_START .*did not begin in time/)
})

test('is refused where nobody could end it, and for what cannot be right', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  pool.pause()
  const error = t.throws(() => pool.runSync(1), { code: 'ERR_RSPOOL_DEADLOCK' })
  t.true(error instanceof errors.DeadlockError)
  pool.resume()
  t.throws(() => pool.runSync(1, { onProgress() {} }), { code: 'ERR_RSPOOL_INVALID_ARGUMENT', message: /onProgress/ })
  t.throws(() => pool.runSync(1, { timeot: 1 }), { code: 'ERR_RSPOOL_INVALID_ARGUMENT', message: /timeout/ })
  t.throws(() => pool.runTaskSync(Symbol('no task'), 1, {}), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
  t.throws(() => pool.runTaskSync('no.such'), { code: 'ERR_RSPOOL_UNKNOWN_TASK' })
  t.throws(() => pool.runSync(1, { signal: AbortSignal.abort('enough') }), { code: 'ABORT_ERR' })
  t.is(pool.runSync(1, { signal: new AbortController().signal }), 1)
  await pool.close()
  t.throws(() => pool.runSync(1), { code: 'ERR_RSPOOL_POOL_CLOSED' })
})

test('promises of other tasks settle afterwards, in order, each once', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 2 })
  const order = []
  const others = Array.from({ length: 1000 }, (_, n) => pool.run(n).then((value) => order.push(value)))
  const big = pool.run('y'.repeat(3_000_000))
  for (let i = 0; i < 50; i++) t.is(pool.runSync(i), i)
  t.deepEqual(order, [])
  await Promise.all(others)
  t.is(new Set(order).size, 1000)
  t.is((await big).length, 3_000_000)
})

test('listeners of other tasks are called afterwards', async (t) => {
  const pool = makePool(t, { filename: fixture('progress.js'), maxThreads: 1 })
  const values = []
  let blocked = false
  const reports = pool.runTask('report', 3, {
    onProgress(value) {
      t.false(blocked)
      values.push(value)
    }
  })
  blocked = true
  pool.runTaskSync('report', 1)
  blocked = false
  await reports
  await new Promise(setImmediate)
  t.deepEqual(values, ['half', 'whole'])
})

test('works in a worker, which can be terminated meanwhile', async (t) => {
  const source = `
    const { parentPort } = require('node:worker_threads')
    const { Pool } = require(${JSON.stringify(root)})
    const pool = new Pool({ filename: ${JSON.stringify(fixture('tasks.js'))}, maxThreads: 1,
      workerData: { gate: new Int32Array(new SharedArrayBuffer(8)) } })
    parentPort.postMessage(pool.runTaskSync('square', 9))
    pool.runTaskSync('never')`
  const worker = new Worker(source, { eval: true })
  t.is(await new Promise((resolve) => worker.once('message', resolve)), 81)
  t.is(await worker.terminate(), 1)
})

test('a process ends as it should after it', async (t) => {
  const { code, stdout, stderr } = await program(`
    const pool = new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 2 })
    console.log(pool.runTaskSync('square', 5), rspool.runTaskSync('hash.crc32', 'text'))`)
  t.deepEqual([code, stdout, stderr], [0, '25 999008199\n', ''])
})

test('TypeScript and ES modules are loaded while the thread is blocked', (t) => {
  const dir = directory(t, {
    'typed.ts': 'export default (n: number): number => n * 2',
    'module.mjs': "import { sep } from 'node:path'\nexport default await Promise.resolve((s) => s + sep.length)"
  })
  const typed = makePool(t, { filename: `${dir}/typed.ts`, maxThreads: 1 })
  t.is(typed.runSync(4), 8)
  const module = makePool(t, { filename: `${dir}/module.mjs`, maxThreads: 1 })
  t.is(module.runSync('s'), 's1')
})

test('a blocking call first hands over what workers have asked for before it', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  await pool.run(1)
  for (let round = 1; round <= 5; round++) {
    const blocking = pool.runTask('block')
    await gate.arrival(round)
    // Held by its owner until the worker asks for it, which it does while the loop of the owner does not turn.
    const held = pool.run(byPort())
    gate.open()
    while (pool.stats().queued > 0);
    t.is(pool.runSync(round), round)
    await blocking
    t.deepEqual(await held, byPort())
    Atomics.store(gate.cells, 1, 0)
  }
})
