'use strict'

// What a program may have replaced: timers, by fakes that nobody turns, and methods of the language.

const test = require('ava')
const { node } = require('./helpers')

/** The timers of a test runner that fakes them before the package is loaded, and never turns them. */
const fakes = `
const real = { setTimeout, setImmediate }
const never = () => Object.assign(Object.create({ unref() { return this }, ref() { return this } }), {})
for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'clearTimeout', 'clearInterval', 'clearImmediate'])
  globalThis[name] = never
`

/** Runs a program that prints 'end', with what comes before the package is loaded. */
async function prints(t, before, source) {
  const file = require.resolve('..')
  const text = `${before}
const assert = require('node:assert')
const { once } = require('node:events')
const rspool = require(${JSON.stringify(file)})
const { Pool } = rspool
const collect = async (iterable) => { const all = []; for await (const each of iterable) all.push(each); return all }
;(async () => {
${source}
console.log('end')
process.exit()
})()`
  const { stdout, stderr, code } = await node(['-e', text])
  t.is(stdout, 'end\n', stderr)
  t.is(code, 0)
}

test('calls, mappings, streams, events and ends need no timer of the program', async (t) => {
  await prints(
    t,
    fakes,
    `const pool = new Pool({ maxThreads: 2 })
    const echo = (x) => x
    const many = Array.from({ length: 20_000 }, (_, i) => i)
    assert.deepStrictEqual(await Promise.all(many.map((i) => pool.runTask(echo, i))), many)
    assert.strictEqual((await Promise.all(many.slice(0, 50).map(() => pool.runTask(echo, 'x'.repeat(20_000))))).length, 50)
    async function* source() { yield 1; yield 2; yield 3 }
    assert.deepStrictEqual(await collect(pool.map(source(), echo)), [1, 2, 3])
    await assert.rejects(collect(pool.map([1, 2, 3], () => { throw new Error('mine') })), /mine/)
    assert.deepStrictEqual(await collect(pool.stream(async function* (s) { yield* s }, source())), [1, 2, 3])
    const drained = once(pool, 'drain')
    for (let i = 0; i < 100; i++) pool.runTask(echo, i)
    assert.strictEqual(pool.needsDrain, true)
    await drained
    const closed = once(pool, 'close')
    await pool.close()
    await closed`
  )
})

test('events come where process.nextTick is a fake', async (t) => {
  await prints(
    t,
    '',
    `const pool = new Pool({ maxThreads: 1 })
    process.nextTick = () => {}
    for (let i = 0; i < 20; i++) {
      pool.runTask('hash.xxh3', 'x' + i)
      if (pool.needsDrain) await once(pool, 'drain')
    }`
  )
})

/** Each value, and what is called while it travels. */
const values = `
const values = () => [
  1, -0, 1.5, true, null, undefined, 'text', 'x'.repeat(3000), 'grüße', '\\u{1f600}'.repeat(30), 2n ** 70n, -5n,
  { a: 1, b: 'two', c: [3, { d: 4.5 }] }, [1, 'two', [3], { e: new Date(5) }], new Map([['a', { b: 1 }]]), new Set([1, 'b']),
  new Uint8Array([1, 2, 3]), new Float64Array([0.5]), new ArrayBuffer(8), { bytes: new Uint8Array(5), more: 'text' },
  /pattern/, new SharedArrayBuffer(4), new Error('mine'), Array.from({ length: 40 }, (_, i) => ({ id: i, name: 'row ' + i }))
]`

/** Replaces a method by one that has the pool run a task before and after it. */
const replaced = `
const { apply } = Reflect
const { getOwnPropertyDescriptor, defineProperty } = Object
let armed = false, calls = 0, pool
function inTheMiddle() {
  if (!armed) return
  armed = false
  calls++
  pool.runTaskSync('hash.crc32', 'text of an inner call that is as long as it takes to spoil another')
  armed = true
}
function replace(object, name) {
  const descriptor = getOwnPropertyDescriptor(object, name)
  if (typeof descriptor?.value !== 'function') return
  const original = descriptor.value
  defineProperty(object, name, { ...descriptor, value: function (...args) {
    inTheMiddle()
    const result = apply(original, this, args)
    inTheMiddle()
    return result
  } })
}`

for (const [what, methods] of Object.entries({
  'of arrays': `[Array.prototype, ['push', 'pop', 'shift', 'splice', 'slice', 'indexOf', 'map', 'forEach', 'filter', 'some', Symbol.iterator]]`,
  'of maps and sets': `[Map.prototype, ['get', 'set', 'has', 'delete']], [Set.prototype, ['add', 'has', 'delete']], [WeakMap.prototype, ['get', 'set', 'delete']]`,
  'of texts': `[String.prototype, ['charCodeAt', 'slice', 'split', 'includes', 'indexOf']], [String, ['fromCharCode']], [JSON, ['parse', 'stringify']]`,
  'of memory': `[Buffer.prototype, ['latin1Slice', 'ucs2Slice', 'utf8Slice', 'latin1Write', 'ucs2Write', 'utf8Write', 'subarray', 'copy']], [Buffer, ['from', 'byteLength', 'allocUnsafeSlow']], [Object.getPrototypeOf(Uint8Array.prototype), ['set', 'subarray', 'slice']], [ArrayBuffer.prototype, ['slice']], [ArrayBuffer, ['isView']], [DataView.prototype, ['setInt32', 'getInt32', 'setFloat64', 'getFloat64', 'setUint32', 'getUint32']]`,
  'of objects, numbers and clocks': `[Object, ['keys', 'getPrototypeOf', 'defineProperty', 'hasOwn', 'entries']], [Date, ['now']], [performance, ['now']], [Math, ['max', 'min']], [BigInt.prototype, ['toString']], [Number.prototype, ['toString']]`
})) {
  test(`methods ${what} that run tasks themselves spoil no other value`, async (t) => {
    await prints(
      t,
      `${values}\n${replaced}`,
      `pool = new Pool({ maxThreads: 1 })
      const echo = (x) => x
      const expected = values().map((value) => structuredClone(value))
      await pool.runTask(echo, 1)
      for (const [object, names] of [${methods}]) for (const name of names) replace(object, name)
      const input = values()
      armed = true
      const promises = []
      for (let i = 0; i < input.length; i++) promises[i] = pool.runTask(echo, [input[i]])
      const got = []
      for (let i = 0; i < input.length; i++) got[i] = await promises[i]
      armed = false
      for (let i = 0; i < got.length; i++) if (!(got[i] instanceof Error)) assert.deepStrictEqual(got[i], expected[i])
      assert.strictEqual(await pool.runTask(echo, 'after'), 'after')`
    )
  })
}
