'use strict'

const { once } = require('node:events')
const fs = require('node:fs')
const path = require('node:path')
const { SHARE_ENV } = require('node:worker_threads')
const test = require('ava')
const { directory, failure, fixture, makePool, outcomes, program, taskPool } = require('./helpers')

const events = () => new Int32Array(new SharedArrayBuffer(8))

test('process.exit in a task rejects it with the exit code, and the worker is replaced', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  for (const name of ['exits', 'exitsLater']) {
    for (const exitCode of [0, 3]) {
      const error = await t.throwsAsync(pool.runTask(name, exitCode), { code: 'ERR_RSPOOL_WORKER_EXIT' })
      t.is(error.exitCode, exitCode)
      t.is(error.name, 'WorkerExitError')
    }
  }
  t.is(await pool.run(1), 1)
})

test('an uncaught exception rejects the running task with that error, and the worker is replaced', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const before = await pool.runTask('where')
  await t.throwsAsync(pool.runTask('uncaught'), { name: 'TypeError', message: 'thrown in the background' })
  t.not(await pool.runTask('where'), before)
})

test('an unhandled rejection rejects the running task with that error', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  await t.throwsAsync(pool.runTask('unhandled'), { name: 'TypeError', message: 'rejected in the background' })
  t.is(await pool.run(1), 1)
})

test('all tasks of a worker that dies reject, and no others', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, concurrentTasksPerWorker: 4 })
  const beside = [pool.runTask('never'), pool.runTask('never')]
  await gate.arrival(2)
  const dying = pool.runTask('uncaught')
  const waiting = Array.from({ length: 20 }, (_, n) => pool.run(n))
  const message = 'thrown in the background'
  for (const promise of [...beside, dying]) await t.throwsAsync(promise, { message })
  const codes = await outcomes(waiting)
  t.true(codes.filter((code) => code === 'ok').length >= 19)
  t.is(await pool.run(1), 1)
})

test('an error after the last task is an error event, and the worker is replaced', async (t) => {
  const pool = makePool(t, { filename: fixture('life.js'), maxThreads: 1, workerData: { events: events() } })
  const error = once(pool, 'error')
  await pool.runTask('throwAfterwards')
  t.is((await error)[0].message, 'after the task')
  t.is(await pool.run(1), 1)
})

test('an error after the last task without a listener is a warning, and never uncaught', async (t) => {
  const { code, stderr } = await program(`
    const workerData = { events: new Int32Array(new SharedArrayBuffer(8)) }
    const pool = new rspool.Pool({ filename: fixture('life.js'), maxThreads: 1, workerData })
    pool.once('workerExit', () => pool.close())
    pool.runTask('throwAfterwards').then(() => new Promise(() => {}))
    const keep = setInterval(() => pool.closed && clearInterval(keep), 10)
  `)
  t.is(code, 0)
  t.regex(stderr, /RspoolWarning.*after the task/s)
})

const broken = {
  'is not there': undefined,
  'has a syntax error': 'module.exports = (',
  'throws while it loads': 'throw new RangeError("while loading")',
  'exits while it loads': 'process.exit(5)',
  'has a setup that throws':
    'module.exports = () => 1; module.exports.setup = () => { throw new RangeError("in setup") }',
  'has a setup that rejects': 'exports.setup = async () => { throw new RangeError("in setup") }'
}

for (const [what, source] of Object.entries(broken)) {
  test(`a script that ${what} rejects what waits, with the cause, and is not started in a storm`, async (t) => {
    const dir = directory(t, source === undefined ? {} : { 'script.js': source })
    let starts = 0
    const pool = makePool(t, { filename: path.join(dir, 'script.js'), maxThreads: 2 })
    pool.on('workerExit', () => starts++)
    const errors = await Promise.all(Array.from({ length: 20 }, () => failure(pool.run(1))))
    for (const error of errors) {
      t.is(error.code, 'ERR_RSPOOL_WORKER_START')
      t.true(error.cause instanceof Error || typeof error.cause?.message === 'string', String(error.cause))
      t.true(error.message.includes(error.cause.message), error.message)
    }
    t.is((await failure(pool.run(1))).code, 'ERR_RSPOOL_WORKER_START')
    t.true(starts <= 10, `${starts} starts`)
    // The other lane goes on.
    t.is(await pool.runTask('hash.crc32', ''), 0)
  })
}

test('a script that can be loaded later is loaded then', async (t) => {
  const dir = directory(t, {})
  const pool = makePool(t, { filename: path.join(dir, 'late.js'), maxThreads: 1 })
  await t.throwsAsync(pool.run(1), { code: 'ERR_RSPOOL_WORKER_START' })
  require('node:fs').writeFileSync(path.join(dir, 'late.js'), 'module.exports = (n) => n + 1')
  let result
  for (let i = 0; i < 20 && result !== 2; i++) result = await pool.run(1).catch(() => {})
  t.is(result, 2)
})

test('wrong worker options reject what waits instead of throwing', async (t) => {
  const pool = makePool(t, { filename: fixture('tasks.js'), maxThreads: 1, execArgv: ['--no-such-flag-at-all'] })
  const error = await t.throwsAsync(pool.run(1), { code: 'ERR_RSPOOL_WORKER_START' })
  t.is(error.cause.code, 'ERR_WORKER_INVALID_EXEC_ARGV')
})

test('workerData that cannot be cloned rejects what waits', async (t) => {
  const pool = makePool(t, { filename: fixture('tasks.js'), maxThreads: 1, workerData: { f() {} } })
  const error = await t.throwsAsync(pool.run(1), { code: 'ERR_RSPOOL_WORKER_START' })
  t.is(error.cause.name, 'DataCloneError')
})

test('a broken script of one task does not harm the pool', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const dir = directory(t, { 'broken.js': 'throw new RangeError("while loading")' })
  for (let i = 0; i < 3; i++) {
    const error = await t.throwsAsync(pool.run(1, { filename: path.join(dir, 'broken.js') }), {
      code: 'ERR_RSPOOL_WORKER_START'
    })
    t.is(error.cause.message, 'while loading')
  }
  t.is(await pool.run(1), 1)
})

test('setup runs once per worker before its first task, teardown at the end', async (t) => {
  const shared = events()
  const pool = makePool(t, {
    filename: fixture('life.js'),
    minThreads: 2,
    maxThreads: 2,
    workerData: { events: shared }
  })
  let created = 0
  const both = new Promise((resolve) => pool.on('workerCreate', () => ++created === 2 && resolve()))
  t.true((await pool.runTask('events'))[0] >= 1)
  await both
  await Promise.all(Array.from({ length: 50 }, () => pool.run(1)))
  await pool.close()
  t.is(shared[0], 2)
  t.is(shared[1], 2)
})

test('a teardown that throws does not keep close from ending', async (t) => {
  const dir = directory(t, {
    'bad.js': 'module.exports = () => 1; module.exports.teardown = () => { throw new Error("in teardown") }'
  })
  const pool = makePool(t, { filename: path.join(dir, 'bad.js'), maxThreads: 1 })
  const complaint = once(pool, 'error')
  t.is(await pool.run(), 1)
  await pool.close()
  t.is((await complaint)[0].message, 'in teardown')
})

test('a teardown that never ends does not keep close from ending', async (t) => {
  const dir = directory(t, {
    'bad.js':
      'module.exports = () => 1; module.exports.teardown = () => { setInterval(() => {}, 1000); return new Promise(() => {}) }'
  })
  const pool = makePool(t, { filename: path.join(dir, 'bad.js'), maxThreads: 1 })
  t.is(await pool.run(), 1)
  await pool.close()
  t.true(pool.closed)
})

test('idle workers go after idleTimeout, down to minThreads', async (t) => {
  const { pool, gate } = taskPool(t, { minThreads: 1, maxThreads: 3, idleTimeout: 20 })
  let exits = 0
  const shrunk = new Promise((resolve) => pool.on('workerExit', () => ++exits === 2 && resolve()))
  const pending = Array.from({ length: 3 }, () => pool.runTask('block'))
  await gate.arrival(3)
  gate.open()
  await Promise.all(pending)
  await shrunk
  t.is(pool.stats().workers.length, 1)
  t.is(await pool.run(1), 1)
  t.is(exits, 2)
})

test('idleTimeout Infinity keeps them, and minThreads 0 lets all go', async (t) => {
  const kept = taskPool(t, { maxThreads: 1, idleTimeout: Infinity })
  const gone = taskPool(t, { minThreads: 0, maxThreads: 1, idleTimeout: 10 })
  const exit = once(gone.pool, 'workerExit')
  await Promise.all([kept.pool.run(1), gone.pool.run(1)])
  await exit
  t.is(gone.pool.stats().workers.length, 0)
  t.is(kept.pool.stats().workers.length, 1)
  t.is(await gone.pool.run(2), 2)
})

test('tasks that meet a shrinking pool all end', async (t) => {
  const { pool } = taskPool(t, { minThreads: 0, maxThreads: 2, idleTimeout: 1 })
  let exits = 0
  pool.on('workerExit', () => exits++)
  for (let round = 0; round < 30; round++) {
    const results = await Promise.all([pool.run(round), pool.run(round), pool.runTask('hash.crc32', '')])
    t.deepEqual(results, [round, round, 0])
    // At once, some turns of the loop later, or as a worker leaves.
    const before = exits
    for (let turn = 0; round % 3 === 2 ? exits === before : turn < round; turn++) await new Promise(setImmediate)
  }
})

test('minThreads workers are started at once when there is a filename', async (t) => {
  const { pool } = taskPool(t, { minThreads: 2, maxThreads: 2 })
  let created = 0
  await new Promise((resolve) => pool.on('workerCreate', () => ++created === 2 && resolve()))
  t.is(pool.stats().workers.filter(({ lane }) => lane === 'script').length, 2)
})

test("workerData is the user's own value, untouched", async (t) => {
  for (const workerData of [{ a: [1] }, 'text', 0, null, false, new Uint8Array([1, 2])]) {
    const pool = makePool(t, { maxThreads: 1, workerData })
    t.deepEqual(await pool.runTask(() => require('node:worker_threads').workerData), workerData)
    t.deepEqual(await pool.runTask(() => require('../lib/worker/api.js').workerData), workerData)
  }
  const none = makePool(t, { maxThreads: 1 })
  t.is(await none.runTask(() => require('node:worker_threads').workerData), undefined)
})

test('workerData may be transferred to the only worker', async (t) => {
  const buffer = new ArrayBuffer(8)
  const pool = makePool(t, {
    filename: fixture('tasks.js'),
    maxThreads: 1,
    workerData: buffer,
    transferList: [buffer]
  })
  t.is(await pool.runTask(() => require('node:worker_threads').workerData.byteLength), 8)
  t.is(buffer.byteLength, 0)
})

test('env, argv and execArgv reach the worker', async (t) => {
  const pool = makePool(t, {
    maxThreads: 1,
    env: { ONLY: 'this' },
    argv: ['a', 1],
    execArgv: ['--no-warnings', '--conditions=special']
  })
  const seen = await pool.runTask(() => [{ ...process.env }, process.argv.slice(2), process.execArgv])
  t.deepEqual(seen, [{ ONLY: 'this', RSPOOL_WORKER: '1' }, ['a', '1'], ['--no-warnings', '--conditions=special']])
})

test('the environment is a copy by default, and shared with SHARE_ENV', async (t) => {
  const set = (value) => {
    process.env.RSPOOL_TEST_ENV = value
  }
  const copied = makePool(t, { maxThreads: 1 })
  await copied.runTask(set, 'copied')
  t.is(process.env.RSPOOL_TEST_ENV, undefined)
  const shared = makePool(t, { maxThreads: 1, env: SHARE_ENV })
  await shared.runTask(set, 'shared')
  t.is(process.env.RSPOOL_TEST_ENV, 'shared')
  delete process.env.RSPOOL_TEST_ENV
})

test('a task that runs out of memory rejects, and its worker is replaced', async (t) => {
  const { pool } = taskPool(t, {
    maxThreads: 1,
    resourceLimits: { maxOldGenerationSizeMb: 32 }
  })
  await t.throwsAsync(pool.runTask('outOfMemory'), { code: 'ERR_WORKER_OUT_OF_MEMORY' })
  t.is(await pool.run(1), 1)
})

test('what a script prints comes out, before its pool is closed', async (t) => {
  const { code, stdout, stderr } = await program(`
    const pool = new rspool.Pool({ maxThreads: 1 })
    const print = (n) => { console.log('out', n); console.error('err', n) }
    ;(async () => {
      for (let n = 0; n < 3; n++) await pool.runTask(print, n)
      await pool.runTask(() => console.log('x'.repeat(200_000)))
      await pool.close()
      console.log('closed')
    })()
  `)
  t.is(code, 0)
  t.true(stdout.startsWith('out 0\nout 1\nout 2\nxxx'))
  t.is(stdout.match(/x/g).length, 200_000)
  t.regex(stdout, /closed/)
  t.is(stderr, 'err 0\nerr 1\nerr 2\n')
})

test('workers that die one after another leave the pool working', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 2 })
  const codes = await outcomes(
    Array.from({ length: 60 }, (_, n) => (n % 3 === 0 ? pool.runTask('exits', 1) : pool.run(n)))
  )
  t.is(codes.filter((code) => code === 'ERR_RSPOOL_WORKER_EXIT').length, 20)
  t.is(codes.filter((code) => code === 'ok').length, 40)
  t.is(await pool.run(1), 1)
})

test('isWorkerThread and threadId tell where code runs', async (t) => {
  const api = require('../lib/worker/api')
  t.is(api.threadId, require('node:worker_threads').threadId)
  const pool = makePool(t, { maxThreads: 1 })
  const [isWorkerThread, threadId, real] = await pool.runTask(() => {
    const api = require('../lib/worker/api.js')
    return [api.isWorkerThread, api.threadId, require('node:worker_threads').threadId]
  })
  t.true(isWorkerThread)
  t.is(threadId, real)
  t.is(api.task.signal, undefined)
  t.is(api.task.id, undefined)
})

test('no two kinds of messages between an owner and its isolates are the same', (t) => {
  const kinds = Object.values(require('../lib/payload/port').PORT_MESSAGE)
  t.is(new Set(kinds).size, kinds.length)
})

test('once a worker got ready, a later failure to start holds back no longer than a first one', async (t) => {
  const dir = directory(t, {})
  const flag = path.join(dir, 'fine')
  const script = path.join(dir, 'script.js')
  fs.writeFileSync(
    script,
    `const { marks } = require('node:worker_threads').workerData
    Atomics.add(marks, 0, 1)
    if (!require('node:fs').existsSync(${JSON.stringify(flag)})) throw new Error('broken')
    module.exports = () => process.exit(0)`
  )
  const start = () => {
    const marks = new Int32Array(new SharedArrayBuffer(4))
    return { pool: makePool(t, { filename: script, minThreads: 0, maxThreads: 1, workerData: { marks } }), marks }
  }
  const attempts = async ({ pool, marks }, count) => {
    while (Atomics.load(marks, 0) < count) await failure(pool.run(1))
  }
  const recovered = start()
  await attempts(recovered, 3)
  fs.writeFileSync(flag, '')
  // It starts at last, and exits with its first task.
  let error
  do error = await failure(recovered.pool.run(1))
  while (error.code === 'ERR_RSPOOL_WORKER_START')
  t.is(error.code, 'ERR_RSPOOL_WORKER_EXIT')
  fs.rmSync(flag)
  // Side by side with a pool that never had a worker: each attempt of that is held back twice as long.
  const fresh = start()
  const before = Atomics.load(recovered.marks, 0)
  const order = []
  await Promise.all([
    attempts(recovered, before + 2).then(() => order.push('the second of the recovered one')),
    attempts(fresh, 4).then(() => order.push('the fourth of the fresh one'))
  ])
  t.deepEqual(order, ['the second of the recovered one', 'the fourth of the fresh one'])
})

test('timers of a script come between tasks that leave it no rest', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  // The first leaves a timer. All wait in the queue by then, and together take many times as long.
  const busy = () => {
    if (globalThis.came === undefined) {
      globalThis.came = false
      setTimeout(() => (globalThis.came = true), 1)
    }
    for (const end = performance.now() + 2; performance.now() < end; );
    return globalThis.came
  }
  const seen = await Promise.all(Array.from({ length: 50 }, () => pool.runTask(busy)))
  t.is(seen[0], false)
  t.is(seen.at(-1), true)
})
