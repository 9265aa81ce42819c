'use strict'

const path = require('node:path')
const { pathToFileURL } = require('node:url')
const test = require('ava')
const { Pool, WorkerPool, cpuCount } = require('../index.js')
const { failure, fixture, makePool, program } = require('./helpers')

const code = 'ERR_RSPOOL_INVALID_ARGUMENT'

/** Each option: values that it must refuse, and what the message says is allowed. */
const refused = {
  filename: [[1, null, '', {}, 'a\0b', new URL('https://example.com/a.js'), Symbol('s')], /path|URL/],
  name: [[1, null, {}], /string/],
  minThreads: [[-1, 1.5, NaN, '2', Infinity, null, 100_000], /integer from 0 to/],
  maxThreads: [[0, -1, 1.5, NaN, '2', Infinity, null, 100_000], /integer from 1 to/],
  idleTimeout: [[-1, NaN, '5', null], /milliseconds/],
  maxQueue: [[-1, 1.5, NaN, '7', null, 2 ** 53], /integer from 0 to .* or Infinity/],
  concurrentTasksPerWorker: [[0, -1, 1.5, NaN, Infinity, '2'], /integer from 1 to/],
  timeout: [[0, -1, NaN, '5', null], /milliseconds/],
  queueTimeout: [[0, -1, NaN, '5', null], /milliseconds/],
  abortGrace: [[-1, NaN, '5', null], /milliseconds/],
  transferList: [[1, 'abc', {}, null], /array/],
  env: [[1, 'abc', null], /object/],
  argv: [[1, 'abc', {}, null], /array/],
  execArgv: [[1, 'abc', [1], null], /array of strings/],
  resourceLimits: [[1, 'abc', null], /object/],
  trackUnmanagedFds: [[1, 'yes', null], /boolean/],
  stdout: [[1, true, null, 'overlapped'], /'inherit', 'pipe' or 'ignore'/],
  stderr: [[1, true, null, 'overlapped'], /'inherit', 'pipe' or 'ignore'/]
}

for (const [name, [values, allowed]] of Object.entries(refused)) {
  test(`${name}: a wrong value is refused with the option, the value and what is allowed`, (t) => {
    for (const value of values) {
      const error = t.throws(() => new Pool({ [name]: value }), { instanceOf: TypeError, code }, String(value))
      t.true(error.message.includes(`'${name}'`), error.message)
      t.regex(error.message, allowed)
      t.regex(error.message, /, got /)
    }
  })
}

test('a message shows the value that was given', (t) => {
  t.throws(() => new Pool({ maxThreads: -3 }), { code, message: /got -3$/ })
  t.throws(() => new Pool({ maxThreads: '4' }), { code, message: /got '4'$/ })
})

test('an unknown option is refused, with the nearest known one', (t) => {
  const error = t.throws(() => new Pool({ maxThread: 2 }), { code })
  t.regex(error.message, /unknown option 'maxThread'.* Did you mean 'maxThreads'\?/)
  t.throws(() => new Pool({ qqqqqqq: 2 }), {
    code,
    message: /unknown option 'qqqqqqq'\. There are: filename, .*maxThreads/
  })
})

test('options that are no object are refused', (t) => {
  for (const options of [null, 1, 'x', [], () => {}, Symbol('s')]) {
    t.throws(() => new Pool(options), { instanceOf: TypeError, code })
  }
})

test('more workers at least than at most is refused', (t) => {
  t.throws(() => new Pool({ minThreads: 4, maxThreads: 2 }), { code, message: /minThreads.*maxThreads/ })
})

test('a pool that is refused leaves nothing behind', async (t) => {
  const { code: exit, stdout } = await program(`
    for (let i = 0; i < 50; i++) try { new rspool.Pool({ filename: fixture('tasks.js'), maxQueue: -1 }) } catch {}
    console.log('end')
  `)
  t.is(exit, 0)
  t.is(stdout, 'end\n')
})

test('an option that is undefined is as one that is not there', (t) => {
  const pool = makePool(t, { maxThreads: undefined, filename: undefined, name: undefined })
  t.is(pool.options.maxThreads, cpuCount())
})

test('the defaults', (t) => {
  const { options } = makePool(t)
  t.is(options.maxThreads, cpuCount())
  t.is(options.maxQueue, Infinity)
  t.is(options.concurrentTasksPerWorker, 1)
  t.is(options.filename, undefined)
  t.true(options.minThreads <= options.maxThreads)
})

test('a single bound moves the other one', (t) => {
  const high = cpuCount() + 3
  t.is(makePool(t, { minThreads: high }).options.maxThreads, high)
  t.is(makePool(t, { maxThreads: 1 }).options.minThreads, 1)
})

test('options cannot be changed afterwards', (t) => {
  const given = { maxThreads: 1 }
  const pool = makePool(t, given)
  given.maxThreads = 9
  t.is(pool.options.maxThreads, 1)
  t.true(Object.isFrozen(pool.options))
})

test('cpuCount is a positive integer, and no more than the machine has', (t) => {
  t.true(Number.isInteger(cpuCount()))
  t.true(cpuCount() >= 1)
  t.true(cpuCount() <= require('node:os').cpus().length)
})

test('a filename may be a path, a relative path, a URL or the text of one', async (t) => {
  const file = fixture('tasks.js')
  for (const filename of [file, path.relative(process.cwd(), file), pathToFileURL(file), pathToFileURL(file).href]) {
    const pool = makePool(t, { filename, maxThreads: 1 })
    t.is(await pool.runTask('square', 3), 9)
  }
})

test('a filename may be a data: URL', async (t) => {
  const pool = makePool(t, { filename: 'data:text/javascript,export default (n) => n + 1', maxThreads: 1 })
  t.is(await pool.run(1), 2)
})

test('a filename may have spaces, percent signs and letters of any script', async (t) => {
  const { directory } = require('./helpers')
  const dir = directory(t, { 'a b%20c#d?é漢.js': 'module.exports = () => __filename' })
  const pool = makePool(t, { filename: path.join(dir, 'a b%20c#d?é漢.js'), maxThreads: 1 })
  t.is(await pool.run(), path.join(dir, 'a b%20c#d?é漢.js'))
})

test('a name makes that export the main function', async (t) => {
  const pool = makePool(t, { filename: fixture('tasks.js'), name: 'square', maxThreads: 1 })
  t.is(await pool.run(5), 25)
  t.is(await pool.run(5, { name: 'default' }), 5)
})

test('a pool without a filename starts no worker until it has to', async (t) => {
  const pool = makePool(t, { minThreads: 1, maxThreads: 1 })
  const lanes = () => pool.stats().workers.map(({ lane }) => lane)
  t.deepEqual(lanes(), [])
  await pool.runTask('hash.crc32', 'a')
  t.deepEqual(lanes(), ['native'])
  t.is(await pool.runTask((a) => a, [1]), 1)
  t.deepEqual(lanes().sort(), ['native', 'script'])
})

test('WorkerPool takes the number of workers and their script', async (t) => {
  const pool = new WorkerPool(2, fixture('tasks.js'))
  t.teardown(() => pool.destroy())
  t.true(pool instanceof Pool)
  t.is(pool.options.minThreads, 2)
  t.is(pool.options.maxThreads, 2)
  t.deepEqual(await pool.runTask({ data: 1 }), { data: 1 })
})

test('what a WorkerPool is given to run is data for its script, and names nothing', async (t) => {
  const pool = new WorkerPool(1, fixture('tasks.js'))
  t.teardown(() => pool.destroy())
  for (const data of ['square', 'hash.sha256', { filename: fixture('tasks.js'), name: 'square' }, null, [1, 2]]) {
    t.deepEqual(await pool.runTask(data), data)
    t.deepEqual(await pool.run(data), data)
    t.deepEqual(pool.runTaskSync(data), data)
  }
  t.is(await pool.runTask(3, { name: 'square' }), 9)
  t.is((await failure(pool.runTask(() => 1))).name, 'DataCloneError')
  const blocking = (async () => pool.runTaskSync(() => 1))()
  t.is((await failure(blocking)).name, 'DataCloneError')
})

test('a task of a WorkerPool runs others by what they are', async (t) => {
  const pool = new WorkerPool(1, fixture('family.js'))
  t.teardown(() => pool.destroy())
  t.is(await pool.runTask(fixture('tasks.js'), { name: 'other' }), 81)
})

test('WorkerPool refuses a wrong number and a missing script', (t) => {
  for (const threads of [0, -1, 1.5, NaN, '2', undefined, null, Infinity]) {
    t.throws(() => new WorkerPool(threads, fixture('tasks.js')), { instanceOf: TypeError, code })
  }
  t.throws(() => new WorkerPool(1), { instanceOf: TypeError, code, message: /script/ })
  t.throws(() => new WorkerPool(1, fixture('tasks.js'), { timeuot: 1 }), { code, message: /'timeout'/ })
})

test('a pool is made with new', (t) => {
  t.throws(() => Pool({}), { instanceOf: TypeError })
})
