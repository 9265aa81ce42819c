'use strict'

const test = require('ava')
const { program } = require('./helpers')

/** Runs in a process whose Object.prototype has these properties. @param {string} pollution */
function polluted(pollution, source) {
  return program(`
    const assert = require('node:assert')
    ${pollution}
    ;(async () => {
      ${source}
      console.log('end')
    })()
  `)
}

const check = `
  const pool = new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 2 })
  assert.strictEqual(pool.options.maxThreads, 2)
  assert.deepStrictEqual(await pool.run([1, { a: 2 }]), [1, { a: 2 }])
  assert.strictEqual(await pool.run(3, { name: 'square' }), 9)
  assert.strictEqual(await pool.runTask('square', 3, {}), 9)
  assert.strictEqual(await pool.runTask({ filename: fixture('tasks.js') }, 3), 3)
  assert.strictEqual(await pool.runTask('hash.crc32', ''), 0)
  assert.strictEqual(await pool.runTask('hash.crc32', '', { params: {} }), 0)
  assert.strictEqual(await pool.runTask((a, b) => a + b, [1, 2]), 3)
  const error = await pool.runTask('throws').catch((error) => error)
  assert.strictEqual(error.code, 'E_RANGE')
  assert.strictEqual(Object.hasOwn(error, 'cause'), false)
  assert.strictEqual(Object.hasOwn(error, 'errors'), false)
  await pool.close({})
`

/** What Object.prototype may be given: each would change a call if it were read. */
const values = {
  filename: '/no/such/file.js',
  name: 'throws',
  maxThreads: 1,
  minThreads: 7,
  maxQueue: 0,
  idleTimeout: 0,
  concurrentTasksPerWorker: 9,
  timeout: 1,
  queueTimeout: 0.001,
  priority: 5,
  abortGrace: 0,
  transferList: [1],
  params: { x: 1 },
  counters: 1,
  force: true,
  env: { ONLY: 'this' },
  argv: ['x'],
  execArgv: ['--no-such-flag'],
  resourceLimits: { maxOldGenerationSizeMb: 1 },
  workerData: { evil: true },
  trackUnmanagedFds: 5,
  eval: true,
  cause: 'polluted',
  errors: ['polluted'],
  error: true,
  value: undefined,
  href: 'file:///no/such.js',
  unknown: 1
}

test('what Object.prototype was given is read by no call', async (t) => {
  // A value in the accessor form of a descriptor would be the polluter's own undoing: not enumerable.
  const pollution = `for (const [key, value] of Object.entries(${JSON.stringify(values)}))
    Object.defineProperty(Object.prototype, key, Object.assign(Object.create(null), { value, configurable: true, writable: true }))`
  const { code, stdout, stderr } = await polluted(pollution, check)
  t.is(stdout, 'end\n', stderr)
  t.is(code, 0)
})

test('enumerable properties of Object.prototype are no options and no payload', async (t) => {
  const { code, stdout, stderr } = await polluted(
    `Object.prototype.polluted = 'yes'; Object.prototype.timout = 5; Object.prototype.maxThread = 5`,
    `${check}
    const back = await rspool.runTask((value) => Object.keys(value), { own: 1 })
    assert.deepStrictEqual(back, ['own'])`
  )
  t.is(stdout, 'end\n', stderr)
  t.is(code, 0)
})

test('an input with an own __proto__ pollutes nothing, here or there', async (t) => {
  const { code, stdout, stderr } = await polluted(
    '',
    `const pool = new rspool.Pool({ maxThreads: 1 })
    const look = (value) => {
      const own = Object.keys(value)
      return [own, ({}).polluted, Object.getPrototypeOf(value) === Object.prototype, value]
    }
    for (const text of ['{"__proto__": {"polluted": 1}, "a": 1}', '{"constructor": {"prototype": {"polluted": 1}}}']) {
      for (let i = 0; i < 5; i++) {
        const input = JSON.parse(text)
        const [own, there, plain, back] = await pool.runTask(look, input)
        assert.deepStrictEqual(own, Object.keys(input))
        assert.strictEqual(there, undefined)
        assert.strictEqual(plain, true)
        assert.deepStrictEqual(Object.getOwnPropertyNames(back), Object.keys(input))
        assert.strictEqual({}.polluted, undefined)
      }
    }
    await pool.close()`
  )
  t.is(stdout, 'end\n', stderr)
  t.is(code, 0)
})

test('options with an own __proto__ are refused, and pollute nothing', async (t) => {
  const { code, stdout, stderr } = await polluted(
    '',
    `const options = JSON.parse('{"__proto__": {"maxThreads": 5}}')
    assert.throws(() => new rspool.Pool(options), { code: 'ERR_RSPOOL_INVALID_ARGUMENT', message: /__proto__/ })
    await assert.rejects(rspool.runTask('hash.crc32', '', options), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
      assert.throws(() => new rspool.Pool({ [name]: 1 }), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })`
  )
  t.is(stdout, 'end\n', stderr)
  t.is(code, 0)
})

test('a setter on Object.prototype is called by no call', async (t) => {
  const { code, stdout, stderr } = await polluted(
    `const called = []
    for (const key of ['a', 'code', 'rare'])
      Object.defineProperty(Object.prototype, key, Object.assign(Object.create(null), {
        configurable: true, get () { return undefined }, set (value) { called.push(key); Object.defineProperty(this, key, Object.assign(Object.create(null), { value, writable: true, configurable: true, enumerable: true })) }
      }))`,
    `const pool = new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 1 })
    called.length = 0
    const shared = {}
    for (let i = 0; i < 5; i++) {
      assert.deepStrictEqual(Object.keys(await pool.run({ a: 1, code: 2 })), ['a', 'code'])
      assert.deepStrictEqual(Object.keys(await pool.run({ a: shared, code: shared })), ['a', 'code'])
      assert.deepStrictEqual(Object.keys(await pool.run({ rare: i, ['x' + i]: 1 })), ['rare', 'x' + i])
    }
    assert.deepStrictEqual(called, [])
    await pool.close()`
  )
  t.is(stdout, 'end\n', stderr)
  t.is(code, 0)
})
