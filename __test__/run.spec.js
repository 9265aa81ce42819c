'use strict'

const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { EventEmitter } = require('node:events')
const test = require('ava')
const { fixture, makePool, taskPool, directory, program } = require('./helpers')

const code = 'ERR_RSPOOL_INVALID_ARGUMENT'

const refused = {
  name: [1, null, {}],
  filename: [1, null, '', {}],
  signal: [1, null, {}, 'x'],
  timeout: [0, -1, NaN, '5', null],
  queueTimeout: [0, -1, NaN, '5', null],
  priority: [-21, 20, 1.5, NaN, '1', null],
  deadline: ['1', null, NaN, new Date(NaN)],
  retries: [-1, 256, 1.5, '1', null],
  onProgress: [1, {}, null],
  transferList: [1, {}, 'x', null]
}

const refusedForNative = {
  params: [1, 'x', null],
  counters: [1, {}, null, { names: [], buffer: new ArrayBuffer(8) }]
}

for (const [name, values] of Object.entries(refused)) {
  test(`${name}: a wrong value rejects, and says which option`, async (t) => {
    const { pool } = taskPool(t, { maxThreads: 1 })
    for (const value of values) {
      const error = await t.throwsAsync(pool.run(1, { [name]: value }), { instanceOf: TypeError, code })
      t.true(error.message.includes(`'${name}'`), error.message)
      t.regex(error.message, /, got /)
    }
    t.is(await pool.run(1), 1)
  })
}

for (const [name, values] of Object.entries(refusedForNative)) {
  test(`${name} of a native task: a wrong value rejects, and says which option`, async (t) => {
    const { pool } = taskPool(t, { maxThreads: 1 })
    for (const value of values) {
      const given = pool.runTask('hash.crc32', 'abc', { [name]: value })
      const error = await t.throwsAsync(given, { instanceOf: TypeError, code })
      t.true(error.message.includes(`'${name}'`), error.message)
      t.regex(error.message, /, got /)
    }
  })
}

test('an option that a task of its kind cannot have rejects', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  await t.throwsAsync(pool.run(1, { params: {} }), { code, message: /unknown option 'params'/ })
  await t.throwsAsync(pool.runTask('square', 1, { counters: {} }), { code, message: /script task: unknown/ })
  await t.throwsAsync(pool.runTask('square', 1, { name: 'cube' }), { code, message: /script task: unknown/ })
  await t.throwsAsync(pool.runTask('hash.crc32', 'a', { context: {} }), { code, message: /native task: unknown/ })
})

test('an input that is larger than maxInputSize rejects, and the pool goes on', async (t) => {
  const { pool } = taskPool(t, { maxInputSize: 100 })
  const tooLarge = 'ERR_RSPOOL_INPUT_TOO_LARGE'
  await t.throwsAsync(pool.run('x'.repeat(101)), { code: tooLarge, message: /101 bytes/ })
  await t.throwsAsync(pool.run({ text: 'x'.repeat(101) }), { code: tooLarge })
  await t.throwsAsync(pool.runTask('hash.crc32', Buffer.alloc(5000)), { code: tooLarge })
  t.is(await pool.run('x'.repeat(100)), 'x'.repeat(100))
  t.is(await pool.run(7), 7)
})

test('an unknown option of a task rejects, with the nearest known one', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  await t.throwsAsync(pool.run(1, { singal: new AbortController().signal }), { code, message: /mean 'signal'/ })
  await t.throwsAsync(pool.runTask('square', 1, { timout: 1 }), { code, message: /mean 'timeout'/ })
})

test('options of a task that are no object reject', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  for (const options of [null, 1, 'square', [], () => {}]) await t.throwsAsync(pool.run(1, options), { code })
})

test('run never throws: bad arguments reject', (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  t.notThrows(() => {
    for (const call of [() => pool.run(1, null), () => pool.runTask(null), () => pool.runTask('a.b')]) {
      const promise = call()
      t.true(promise instanceof Promise)
      promise.catch(() => {})
    }
  })
})

test('runs the default export with the input', async (t) => {
  const { pool } = taskPool(t)
  t.deepEqual(await pool.run({ a: 1 }), { a: 1 })
  t.is(await pool.run(), undefined)
})

test('runs a named export', async (t) => {
  const { pool } = taskPool(t)
  t.is(await pool.run(7, { name: 'square' }), 49)
  t.is(await pool.run(7, { name: 'asyncSquare' }), 49)
})

test('a task may name another script', async (t) => {
  const dir = directory(t, { 'other.js': 'module.exports = (n) => n + 1; module.exports.twice = (n) => 2 * n' })
  const filename = path.join(dir, 'other.js')
  const { pool } = taskPool(t, { maxThreads: 1 })
  t.is(await pool.run(1, { filename }), 2)
  t.is(await pool.run(4, { filename, name: 'twice' }), 8)
  t.is(await pool.run(1, { filename: pathToFileURL(filename) }), 2)
  t.is(await pool.run(1), 1)
})

test('a pool without a script needs a filename with the task', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const error = await t.throwsAsync(pool.run(1), { code: 'ERR_RSPOOL_UNKNOWN_TASK' })
  t.regex(error.message, /filename/)
  t.is(await pool.run(3, { filename: fixture('tasks.js'), name: 'square' }), 9)
})

test('an export that is not there rejects, with what there is and the nearest name', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const error = await t.throwsAsync(pool.run(1, { name: 'sqare' }), { code: 'ERR_RSPOOL_UNKNOWN_TASK' })
  t.regex(error.message, /tasks\.js exports no function 'sqare'/)
  t.regex(error.message, /asyncSquare/)
  t.regex(error.message, /Did you mean 'square'\?/)
  t.is(await pool.run(1), 1)
})

test('what a script inherits is not an export', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  for (const name of ['toString', 'constructor', 'hasOwnProperty', '__proto__', 'call', 'apply', 'bind']) {
    await t.throwsAsync(pool.run(1, { name }), { code: 'ERR_RSPOOL_UNKNOWN_TASK' }, name)
  }
})

test('a script without a default function says what it exports', async (t) => {
  const dir = directory(t, { 'named.js': 'exports.first = () => 1; exports.second = () => 2' })
  const pool = makePool(t, { filename: path.join(dir, 'named.js'), maxThreads: 1 })
  const error = await t.throwsAsync(pool.run(1), { code: 'ERR_RSPOOL_UNKNOWN_TASK' })
  t.regex(error.message, /first, second/)
  t.is(await pool.run(1, { name: 'second' }), 2)
})

test('an input is as it was at the call', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const blocked = pool.runTask('block')
  await gate.arrival()
  const plain = { n: 1, list: [1] }
  const bytes = new Uint8Array([1, 2, 3])
  const error = Object.assign(new Error('before'), { shared: new SharedArrayBuffer(1) })
  const pending = [pool.run(plain), pool.run(bytes), pool.run({ error, map: new Map([[1, plain]]) })]
  plain.n = 2
  plain.list.push(2)
  bytes[0] = 9
  error.message = 'after'
  gate.open()
  await blocked
  const [a, b, c] = await Promise.all(pending)
  t.deepEqual(a, { n: 1, list: [1] })
  t.deepEqual([...b], [1, 2, 3])
  t.is(c.error.message, 'before')
  t.deepEqual(c.map.get(1), { n: 1, list: [1] })
})

test("the caller's promises settle in the order in which one worker ends the tasks", async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const order = []
  await Promise.all(Array.from({ length: 500 }, (_, n) => pool.run(n).then((value) => order.push(value))))
  t.deepEqual(
    order,
    Array.from({ length: 500 }, (_, n) => n)
  )
})

test('no task gets the result of another', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 3 })
  const inputs = Array.from({ length: 3000 }, (_, n) => {
    if (n % 4 === 0) return n
    if (n % 4 === 1) return `text ${n} `.repeat(n % 300)
    if (n % 4 === 2) return { n, list: [n, { n }] }
    return new Uint8Array(n % 5000).fill(n)
  })
  const results = await Promise.all(inputs.map((input) => pool.run(input)))
  t.deepEqual(results, inputs)
})

test('the pool is an event emitter, and says which workers come and go', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  t.true(pool instanceof EventEmitter)
  const created = new Promise((resolve) => pool.once('workerCreate', resolve))
  const exited = new Promise((resolve) => pool.once('workerExit', resolve))
  const threadId = await pool.run(null, { name: 'where' })
  t.is((await created).threadId, threadId)
  await pool.close()
  t.deepEqual(await exited, { ...(await created), exitCode: 0 })
})

test('what a listener throws is uncaught, and harms no task', async (t) => {
  const { code, stdout } = await program(`
    process.on('uncaughtException', (error) => console.log('uncaught', error.message))
    const pool = new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 1 })
    pool.on('workerCreate', () => { throw new Error('from a listener') })
    pool.run(1).then(() => pool.run(2)).then((value) => console.log(value)).then(() => pool.close())
  `)
  t.deepEqual(stdout.split('\n').sort(), ['', '2', 'uncaught from a listener'])
  t.is(code, 0)
})

test('a message that a script posts comes out as an event', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const message = new Promise((resolve) => pool.once('message', resolve))
  await pool.runTask(() => require('node:worker_threads').parentPort.postMessage({ hello: 1 }))
  t.deepEqual(await message, { hello: 1 })
})

test('stats count what was done', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  await Promise.all([pool.run(1), pool.run(2), pool.runTask('throws').catch(() => {}), pool.runTask('hash.crc32', '')])
  const before = pool.stats()
  t.is(before.completed, 3)
  t.is(before.failed, 1)
  t.is(before.queued, 0)
  t.is(before.running, 0)
  const pending = [pool.runTask('block'), pool.run(1), pool.run(1)]
  await gate.arrival()
  const during = pool.stats()
  t.is(during.running, 1)
  t.is(during.queued, 2)
  t.is(during.busy, 1)
  gate.open()
  await Promise.all(pending)
  t.is(pool.stats().completed, 6)
  t.true(pool.stats().utilization === undefined || pool.stats().utilization <= 1)
  await pool.close()
  t.is(pool.stats().completed, 6)
})
