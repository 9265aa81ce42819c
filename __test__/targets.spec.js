'use strict'

// What tasks are called by belongs to their pool, and what callers make up leaves nothing behind.

const path = require('node:path')
const test = require('ava')
const { Bounded, MOST } = require('../lib/pool/task/bounded')
const { directory, failure, fixture, makePool, node, root, taskPool } = require('./helpers')

/** More functions than a pool or an isolate keeps. */
const MANY = 2 * MOST
const others = () => Array.from({ length: MANY }, (_, i) => new Function(`return ${i}`))

test('an inline function that has made room for others runs when it is called again', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const first = (n) => n * 2
  t.is(await pool.runTask(first, 4), 8)
  const results = await Promise.all(others().map((fn) => pool.runTask(fn)))
  t.deepEqual(
    results,
    Array.from({ length: MANY }, (_, i) => i)
  )
  t.is(await pool.runTask(first, 5), 10)
})

test('a task that waits keeps its function, however many others are called meanwhile', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  pool.pause()
  const first = pool.runTask((n) => `first ${n}`, 1)
  const rest = others().map((fn) => pool.runTask(fn))
  const again = pool.runTask((n) => `first ${n}`, 2)
  pool.resume()
  t.is(await first, 'first 1')
  t.is(await again, 'first 2')
  t.is((await Promise.all(rest)).at(-1), MANY - 1)
})

test('a task whose input waits beside it keeps its function too', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const blocked = pool.runTask('block')
  const shared = new SharedArrayBuffer(8)
  const first = pool.runTask((buffer) => buffer.byteLength, shared)
  const rest = others().map((fn) => pool.runTask(fn))
  gate.open()
  t.is(await first, 8)
  await Promise.all([blocked, ...rest])
})

test('a getter in an input that calls others does not take the number of its own function', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  /** @type {Promise<unknown>[]} */
  const inner = []
  class Input {
    get made() {
      inner.push(...others().map((fn) => pool.runTask(fn)))
      return 'made'
    }
  }
  const input = {
    get made() {
      return new Input().made
    },
    shared: new SharedArrayBuffer(1)
  }
  t.is(await pool.runTask((value) => value.made, input), 'made')
  t.is((await Promise.all(inner)).at(-1), MANY - 1)
})

test('a name is looked up again after it was not found', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  for (let round = 0; round < 3; round++) t.is((await failure(pool.runTask('nothing'))).code, 'ERR_RSPOOL_UNKNOWN_TASK')
  await Promise.all(Array.from({ length: MANY }, (_, i) => failure(pool.runTask(`nothing${i}`))))
  t.is(await pool.runTask('square', 3), 9)
})

test('pools call their own functions by the same names', async (t) => {
  const files = directory(t, { 'one.js': 'exports.name = () => 1', 'two.js': 'exports.name = () => 2' })
  const pools = ['one.js', 'two.js'].map((name) => makePool(t, { filename: path.join(files, name), maxThreads: 1 }))
  t.deepEqual(await Promise.all(pools.map((pool) => pool.runTask('name'))), [1, 2])
  const [one, two] = pools
  t.is(await one.runTask({ filename: path.join(files, 'two.js'), name: 'name' }), 2)
  t.is(await two.runTask({ filename: path.join(files, 'one.js'), name: 'name' }), 1)
})

test('a script that could not be loaded is loaded when it can be', async (t) => {
  const files = directory(t, {})
  const filename = path.join(files, 'later.js')
  const pool = makePool(t, { maxThreads: 1 })
  t.is((await failure(pool.runTask({ filename }))).code, 'ERR_RSPOOL_WORKER_START')
  require('node:fs').writeFileSync(filename, 'module.exports = () => "here"')
  t.is(await pool.runTask({ filename }), 'here')
})

test('names and code that callers make up take no memory for long', async (t) => {
  const source = `
    // What \`new Function\` is given the engine itself keeps.
    const { compileFunction } = require('node:vm')
    const { Pool } = require(${JSON.stringify(root)})
    const pool = new Pool({ filename: ${JSON.stringify(fixture('tasks.js'))}, maxThreads: 1 })
    const text = 'x'.repeat(40_000)
    const round = async (call) => {
      for (let i = 0; i < 5; i++)
        await Promise.allSettled(Array.from({ length: 500 }, (_, j) => call(500 * i + j)))
    }
    const calls = [(i) => pool.runTask('none' + i + text), (i) => pool.runTask(compileFunction('return ' + i + '//' + text))]
    const resident = async () => {
      await pool.runTask(() => globalThis.gc())
      globalThis.gc()
      return process.memoryUsage().rss / 2 ** 20
    }
    ;(async () => {
      for (const call of calls) await round(call)
      const before = await resident()
      // What the system takes back at its leisure does not add up.
      for (let rounds = 0; rounds < 3; rounds++) for (const call of calls) await round(call)
      console.log(await resident() - before)
      await pool.destroy()
    })()
  `
  const { stdout, stderr } = await node(['--expose-gc', '-e', source])
  // Kept they would be 600 MB, and more in the isolate.
  t.not(stdout, '', stderr)
  t.true(Number(stdout) < 300, stdout)
})

test('a bounded map drops what is oldest, by number and by size', (t) => {
  const dropped = []
  const map = new Bounded((key) => dropped.push(key))
  for (let i = 0; i < MOST + 2; i++) map.add(i, `${i}`, 1)
  t.deepEqual(dropped, [0, 1])
  t.is(map.get(0), undefined)
  t.is(map.get(2), '2')
  map.add('large', 'large', 4 * 2 ** 20)
  t.is(map.get('large'), 'large')
  t.is(map.get(MOST + 1), undefined)
  map.drop('large')
  map.add('small', 'small', 1)
  t.is(map.get('small'), 'small')
})
