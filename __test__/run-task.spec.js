'use strict'

const crypto = require('node:crypto')
const path = require('node:path')
const test = require('ava')
const { Pool, runTask, runTaskSync, tasks } = require('../index.js')
const { fixture, makePool, taskPool, directory, program } = require('./helpers')

const sha256 = (data) => crypto.createHash('sha256').update(data).digest()

const NO_TASKS = [
  null,
  undefined,
  1,
  true,
  {},
  { data: 1 },
  [1, 2],
  new Uint8Array(3),
  Symbol('s'),
  { filename: 'a', name: 1 },
  { filename: 'a', also: 1 }
]

test('data never decides what is called: a first argument that is no task is an error, however many follow', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const expected = { instanceOf: TypeError, code: 'ERR_RSPOOL_INVALID_ARGUMENT', message: /use run\(input\)/ }
  for (const task of NO_TASKS) {
    for (const rest of [[], [1], [{ name: 'square' }], [1, {}]]) {
      await t.throwsAsync(pool.runTask(task, ...rest), expected)
      await t.throwsAsync(runTask(task, ...rest), expected)
      t.throws(() => pool.runTaskSync(task, ...rest), expected)
      t.throws(() => runTaskSync(task, ...rest), expected)
    }
  }
  t.is(pool.stats().completed + pool.stats().failed, 0)
})

test('an unknown native task rejects, with the nearest one', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const code = 'ERR_RSPOOL_UNKNOWN_TASK'
  await t.throwsAsync(pool.runTask('hash.sha25', ''), { code, message: /'hash\.sha25'.*Did you mean 'hash\.sha256'/ })
  await t.throwsAsync(pool.runTask('sha256.', ''), { code })
  await t.throwsAsync(pool.runTask('nothing.alike', ''), { code, message: /hash\.sha256, / })
  for (const name of ['.', '..', 'hash.', '.sha256', 'hash.sha256.hex', 'hash.__proto__', 'constructor.name', 'a.\0']) {
    await t.throwsAsync(pool.runTask(name, ''), { code }, name)
  }
})

test('a name without a dot needs a script', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const error = await t.throwsAsync(pool.runTask('sha256', ''), { code: 'ERR_RSPOOL_UNKNOWN_TASK' })
  t.regex(error.message, /'sha256'/)
  t.regex(error.message, /hash\.sha256/)
})

test('a dotted name is a native task', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  t.deepEqual(await pool.runTask('hash.sha256', 'abc'), sha256('abc'))
})

test('an undotted name is an export of the script', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  t.is(await pool.runTask('square', 9), 81)
})

test('a function runs inline', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  t.is(await pool.runTask((a, b) => a + b, [1, 2]), 3)
})

test('{ filename, name } runs that export of that script', async (t) => {
  const dir = directory(t, { 'other.js': 'module.exports = (n) => n + 1; module.exports.twice = (n) => 2 * n' })
  const filename = path.join(dir, 'other.js')
  const { pool } = taskPool(t, { maxThreads: 1 })
  t.is(await pool.runTask({ filename }, 4), 5)
  t.is(await pool.runTask({ filename, name: 'twice' }, 4), 8)
  t.is(await pool.runTask({ filename: fixture('tasks.js'), name: 'square' }, 4), 16)
})

test('runTask of the package runs on a shared pool', async (t) => {
  t.deepEqual(await runTask('hash.sha256', 'abc'), sha256('abc'))
  t.deepEqual(await runTask('hash.sha256', 'abc', { params: { encoding: 'hex' } }), sha256('abc').toString('hex'))
  t.is(await runTask((a, b) => a * b, [6, 7]), 42)
  t.is(await runTask({ filename: fixture('tasks.js'), name: 'square' }, 3), 9)
})

test('runTask of the package has no script of its own', async (t) => {
  await t.throwsAsync(runTask('square', 1), { code: 'ERR_RSPOOL_UNKNOWN_TASK' })
})

test('tasks has a leaf for each native task, by family', async (t) => {
  t.deepEqual(await tasks.hash.sha256('abc'), sha256('abc'))
  t.is(await tasks.math.fibonacci(10), 55)
  t.is(await tasks.math.countPrimes(100), 25)
  t.is(await tasks.hash.sha256('abc', { params: { encoding: 'hex' } }), sha256('abc').toString('hex'))
})

test('tasks takes nothing', (t) => {
  t.throws(() => Object.assign(tasks, { other: {} }))
  t.throws(() => delete tasks.hash)
  for (const family of Object.values(tasks)) t.true(Object.isFrozen(family))
  t.throws(() => {
    tasks.hash.sha256 = () => {}
  })
  t.is(tasks.nothing, undefined)
})

test('the package starts no pool until a task is run', async (t) => {
  const { code, stdout } = await program(`
    const threads = () => require('node:fs').readdirSync('/proc/self/task').length
    const before = threads()
    const { tasks } = rspool
    console.log(threads() - before)
  `)
  t.is(code, 0)
  if (process.platform === 'linux') t.is(stdout, '0\n')
})

test('a native task and a script task share the pool', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 2 })
  const results = await Promise.all(
    Array.from({ length: 200 }, (_, n) => (n % 2 ? pool.runTask('square', n) : pool.runTask('hash.crc32', `${n}`)))
  )
  t.is(results[199], 199 ** 2)
  t.is(pool.stats().completed, 200)
})

test('all names of tasks are of the form family.task', (t) => {
  t.true(tasks instanceof Object)
  for (const [family, members] of Object.entries(tasks)) {
    t.regex(family, /^[a-z][a-zA-Z0-9]*$/)
    for (const [name, run] of Object.entries(members)) {
      t.regex(name, /^[a-z][a-zA-Z0-9]*$/)
      t.is(typeof run, 'function')
    }
  }
  t.true(Pool.prototype.runTask instanceof Function)
})
