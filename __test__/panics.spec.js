'use strict'

const test = require('ava')
const { program } = require('./helpers')

/** In a process that has the tasks for tests. */
function withTestTasks(source) {
  return program(`const assert = require('node:assert')\n;(async () => {\n${source}\nconsole.log('end') })()`, {
    env: { ...process.env, RSPOOL_TEST_TASKS: '1' }
  })
}

test('a panic in a native task rejects that task, and the process and the thread live on', async (t) => {
  const { code, stdout, stderr } = await withTestTasks(`
    const { Pool, errors } = rspool
    const pool = new Pool({ maxThreads: 1 })
    for (let round = 0; round < 200; round++) {
      const [panicked, next] = await Promise.allSettled([pool.runTask('test.panic', round), pool.runTask('hash.crc32', '')])
      assert.strictEqual(panicked.reason.code, 'ERR_RSPOOL_TASK_PANIC')
      assert.ok(panicked.reason instanceof errors.TaskPanicError)
      assert.match(panicked.reason.message, /^test\\.panic: .*panicked: asked to, with /)
      assert.strictEqual(next.value, 0)
    }
    assert.strictEqual(pool.stats().failed, 200)
    assert.strictEqual(pool.stats().workers.length, 1)
    await pool.close()
  `)
  t.is(stdout, 'end\n', stderr)
  t.is(code, 0)
})

test('a panic beside other workers harms none of them', async (t) => {
  const { code, stdout, stderr } = await withTestTasks(`
    const pool = new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 3 })
    const all = Array.from({ length: 3000 }, (_, n) =>
      n % 3 === 0 ? pool.runTask('test.panic', n) : n % 3 === 1 ? pool.run(n) : pool.runTask('test.echo', n))
    for (const [n, { value, reason }] of (await Promise.allSettled(all)).entries()) {
      if (n % 3 === 0) assert.strictEqual(reason.code, 'ERR_RSPOOL_TASK_PANIC')
      else assert.strictEqual(value, n)
    }
  `)
  t.is(stdout, 'end\n', stderr)
  t.is(code, 0)
})

test('a native task that spins is cancelled by a timeout, an abort and the end of its pool', async (t) => {
  const { code, stdout, stderr } = await withTestTasks(`
    const pool = new rspool.Pool({ maxThreads: 1 })
    const counters = new rspool.AtomicCounters(['rows'])
    await assert.rejects(pool.runTask('test.spin', null, { timeout: 10 }), { code: 'ERR_RSPOOL_TASK_TIMEOUT' })
    const controller = new AbortController()
    const aborted = pool.runTask('test.spin', null, { signal: controller.signal, counters })
    while (counters.get('rows') === 0) await new Promise(setImmediate)
    controller.abort()
    await assert.rejects(aborted, { code: 'ABORT_ERR' })
    const ended = assert.rejects(pool.runTask('test.spin'), { code: 'ERR_RSPOOL_POOL_CLOSED' })
    await pool.destroy()
    await ended
  `)
  t.is(stdout, 'end\n', stderr)
  t.is(code, 0)
})

test('values that a native task gives back are those that it got', async (t) => {
  const { code, stdout, stderr } = await withTestTasks(`
    const pool = new rspool.Pool({ maxThreads: 1 })
    for (const value of [undefined, null, true, false, 0, -0, 1.5, NaN, Infinity, '', 'text', 'déjà 漢字 🙂', 'x'.repeat(10_000),
      { a: [1, { b: null }] }, [], {}, 1n, -(2n ** 100n), 2n ** 64n])
      assert.deepStrictEqual(await pool.runTask('test.echo', value), value)
    for (const View of [Int8Array, Uint8ClampedArray, Int16Array, Uint32Array, Float32Array, Float64Array, BigInt64Array]) {
      const view = View === BigInt64Array ? new View([1n, -2n]) : new View([1, 2, 3])
      assert.deepStrictEqual(await pool.runTask('test.echo', view), view)
    }
    assert.deepStrictEqual(await pool.runTask('test.echo', Buffer.from('abc')), Buffer.from('abc'))
    assert.deepStrictEqual(await pool.runTask('test.echo', Buffer.alloc(50_000, 3)), Buffer.alloc(50_000, 3))
  `)
  t.is(stdout, 'end\n', stderr)
  t.is(code, 0)
})

test('the tasks for tests are not there otherwise', async (t) => {
  const { stdout } = await program(`console.log(rspool.tasks.test)`, { env: { ...process.env, RSPOOL_TEST_TASKS: '' } })
  t.is(stdout, 'undefined\n')
})
