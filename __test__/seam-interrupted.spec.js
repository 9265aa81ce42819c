'use strict'

// Code of a user runs in the middle of the work of the package, where nobody expects it: the value of each call is its own
// all the same.

const test = require('ava')
const { failure, fixture, makePool, program } = require('./helpers')

/** Runs a program that prints 'end'. @param {import('ava').ExecutionContext} t @param {string} source */
async function prints(t, source) {
  const { stdout, stderr, code } = await program(`
    const assert = require('node:assert')
    const same = (x) => x
    const main = async () => {
      ${source}
      console.log('end')
      process.exit()
    }
    main()
  `)
  t.is(stdout, 'end\n', stderr)
  t.is(code, 0)
}

for (const [what, act] of Object.entries({
  'call a pool': 'inner.push([n, pool.runTask(same, [{ n, list: [n, "x"] }])])',
  'block for a task': 'assert.deepStrictEqual(pool.runTaskSync(same, [{ n, list: [n, "x"] }]), { n, list: [n, "x"] })',
  'block for a native task': 'assert.strictEqual(pool.runTaskSync("hash.crc32", "text"), 999008199)'
})) {
  test(`accessors of Object.prototype for the elements of arrays that ${what} change no value`, async (t) => {
    await prints(
      t,
      `const pool = new rspool.Pool({ maxThreads: 2 })
      await pool.runTask(same, [1])
      const inner = []
      let isArmed = false, isInside = false, n = 0, left = 500, where = ''
      const { defineProperty } = Object
      for (let i = 0; i < 300; i++)
        defineProperty(Object.prototype, i, {
          configurable: true,
          get() {},
          set(value) {
            if (isArmed && !isInside && left > 0 && new Error().stack.includes(where)) {
              isInside = true
              left--
              n++
              ${act}
              isInside = false
            }
            defineProperty(this, i, { __proto__: null, value, writable: true, enumerable: true, configurable: true })
          }
        })
      const values = [
        [1, 'two', [3, 'four'], { a: [5] }], ['x', 'y'], { rows: [{ a: 1, b: ['q'] }, { a: 2, b: ['r'] }] }, 'text', 7,
        Array.from({ length: 40 }, (_, i) => i), Array.from({ length: 80 }, (_, i) => 'k' + i), new Map([[1, [2]]]),
        new SharedArrayBuffer(8)
      ]
      const calls = []
      for (let round = 0; round < 20; round++)
        for (const value of values) {
          isArmed = true
          const promise = pool.runTask(same, [value])
          isArmed = false
          calls.push([value, promise])
        }
      // From now on only in the middle of a value that is being decoded.
      left = 500
      where = 'decode.js'
      for (const [value, promise] of calls) {
        isArmed = true
        const got = await promise
        isArmed = false
        assert.deepStrictEqual(got, value)
      }
      for (const [n, promise] of inner) assert.deepStrictEqual(await promise, { n, list: [n, 'x'] })
      assert.ok(n > 100)`
    )
  })
}

test('a hook that blocks for a task while a result is being delivered changes no other result', async (t) => {
  await prints(
    t,
    `const pool = new rspool.Pool({ maxThreads: 2 })
    await pool.runTask(same, [1])
    const ports = new Set()
    let isInside = false, n = 0
    require('node:async_hooks').createHook({
      init(id, type) { if (type === 'MESSAGEPORT') ports.add(id) },
      before(id) {
        if (!ports.has(id) || isInside) return
        isInside = true
        n++
        assert.strictEqual(pool.runTaskSync(same, [n]), n)
        isInside = false
      }
    }).enable()
    const make = () => new SharedArrayBuffer(8)
    for (let round = 0; round < 100; round++)
      for (const { byteLength } of await Promise.all(Array.from({ length: 10 }, () => pool.runTask(make))))
        assert.strictEqual(byteLength, 8)`
  )
})

test('a result that has not come when its isolate ends rejects its own call', async (t) => {
  const pool = makePool(t, { maxThreads: 1, concurrentTasksPerWorker: 2 })
  const ends = () => {
    setImmediate(() => process.exit(3))
    return new Promise(() => {})
  }
  for (let round = 0; round < 10; round++) {
    const given = pool.runTask(() => new SharedArrayBuffer(8))
    const gone = failure(pool.runTask(ends))
    t.is((await given).byteLength, 8)
    t.is((await gone).exitCode, 3)
  }
})

for (const name of ['gives', 'throws']) {
  test(`what a getter of the value that a task ${name} tells and runs belongs to that task`, async (t) => {
    const pool = makePool(t, { filename: fixture('interrupted.js'), maxThreads: 1, concurrentTasksPerWorker: 4 })
    const gate = new Int32Array(new SharedArrayBuffer(4))
    const told = { own: [], other: [] }
    const own = pool.run(undefined, { name, onProgress: (value) => told.own.push(value) })
    const other = pool.run({ gate }, { name: 'waits', onProgress: (value) => told.other.push(value) })
    const ended = name === 'gives' ? await own : await failure(own)
    t.is((name === 'gives' ? ended : ended.detail).a, ended.id)
    t.deepEqual(await pool.runTask('nested'), ['ERR_RSPOOL_NO_TASK'])
    Atomics.store(gate, 0, 1)
    t.is(await other, 'waited')
    t.deepEqual(told, { own: [`of task ${ended.id}`], other: [] })
  })
}

test('an isolate tells its owner, which may be blocked, of each call and each abort of its tasks', async (t) => {
  const pool = makePool(t, { filename: fixture('interrupted.js'), maxThreads: 1 })
  t.deepEqual(await pool.runTask('tells'), [3, ['fulfilled', 'ABORT_ERR']])
})

test('an error with a getter that can be read once ends its own task alone', async (t) => {
  const pool = makePool(t, { filename: fixture('interrupted.js'), maxThreads: 1, concurrentTasksPerWorker: 4 })
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const other = pool.run({ gate }, { name: 'waits' })
  const error = await failure(pool.runTask('throwsOnce'))
  t.deepEqual([error.message, error.detail], ['mine', { a: 1 }])
  Atomics.store(gate, 0, 1)
  t.is(await other, 'waited')
})

test('what a program has put in the place of structuredClone clones no input', async (t) => {
  await prints(
    t,
    `const pool = new rspool.Pool({ maxThreads: 1 })
    globalThis.structuredClone = (value) => JSON.parse(JSON.stringify(value))
    const length = (value) => value.byteLength
    const moved = new ArrayBuffer(16)
    const calls = Array.from({ length: 4 }, () => pool.runTask(length, [new SharedArrayBuffer(8)]))
    calls.push(pool.runTask(length, [moved], { transferList: [moved] }))
    assert.deepStrictEqual(await Promise.all(calls), [8, 8, 8, 8, 16])
    assert.strictEqual(moved.byteLength, 0)
    await assert.rejects(pool.runTask(() => { throw Object.assign(new Error('mine'), { at: new Date(5) }) }), { at: new Date(5) })`
  )
})

test('a toJSON of all arrays and texts changes no value', async (t) => {
  await prints(
    t,
    `const pool = new rspool.Pool({ maxThreads: 1 })
    Array.prototype.toJSON = function () { return '[' + Array.from(this, (each) => JSON.stringify(each)).join() + ']' }
    String.prototype.toJSON = () => 'a text'
    for (let i = 0; i < 6; i++) {
      const value = { id: i, 'a "name"': 'two', 'ключ\\ud800': [i] }
      assert.deepStrictEqual(await pool.runTask((x) => x, [value]), value)
    }`
  )
})

test('methods of memory that encode another value change no message, and no value of a map', async (t) => {
  await prints(
    t,
    `const { encodeMessage, decodeMessage } = require(fixture('../../lib/payload/message.js'))
    const map = new rspool.SharedMap({ bytes: 1 << 20 })
    let isInside = false, n = 0
    const { apply } = Reflect
    const act = () => {
      if (isInside) return
      isInside = true
      n++
      map.set('other', { other: 'a value of another key' })
      encodeMessage({ other: 'another message' })
      isInside = false
    }
    for (const [object, names] of [
      [Buffer.prototype, ['subarray', 'slice']],
      [Object.getPrototypeOf(Uint8Array.prototype), ['subarray', 'slice', 'set']],
      [Object.getPrototypeOf(Uint8Array), ['from', 'of']],
      [Buffer, ['from', 'byteLength']],
      [ArrayBuffer.prototype, ['slice']],
      [ArrayBuffer, ['isView']]
    ])
      for (const name of names) {
        const method = object[name]
        object[name] = function (...args) {
          act()
          const result = apply(method, this, args)
          act()
          return result
        }
      }
    const values = [{ mine: 'mine' }, ['a list', 1, 2.5], new Map([[1, 'one']]), { text: 'long '.repeat(2000) }]
    for (const value of values) {
      const { tag, bytes } = encodeMessage(value)
      isInside = true
      assert.deepStrictEqual(decodeMessage(tag, new Uint8Array(bytes).buffer), value)
      isInside = false
      map.set('key', value)
      assert.deepStrictEqual(map.get('key'), value)
      assert.strictEqual(map.compareAndSet('key', value, { next: value }), true)
      assert.deepStrictEqual(map.get('key'), { next: value })
    }
    assert.ok(n > 0)`
  )
})
