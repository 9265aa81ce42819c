'use strict'

// Objects and lists with buffers, as inputs and as results of native tasks.

process.env.RSPOOL_TEST_TASKS = '1'

const test = require('ava').default
const { Pool, lend, move, runTask } = require('..')
const { failure } = require('./helpers')

/** @param {unknown} input @param {object} [options] */
const echo = (input, options) => runTask('test.echo', input, options)

test('an object with buffers comes back with its members, in their order', async (t) => {
  const record = {
    zeta: new Float64Array([1.5, NaN]),
    count: 3,
    data: Buffer.from('abc'),
    name: 'grüße',
    none: null,
    nested: { list: [1, 'two', null, new Uint8Array(3)] },
    bytes: new Uint8Array([1]).buffer
  }
  const back = await echo({ ...record, left: undefined })
  t.deepEqual(back, { ...record, bytes: Buffer.from([1]) })
  t.deepEqual(Object.keys(back), Object.keys(record))
})

test('a list with buffers comes back with its items', async (t) => {
  const list = [Buffer.from('a'), 1, undefined, 'x', new BigUint64Array([7n]), -0, Infinity, -(2n ** 70n)]
  // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
  t.deepEqual(await echo([...list, , { deep: [new Uint8Array(2)] }]), [
    ...list,
    undefined,
    { deep: [new Uint8Array(2)] }
  ])
})

test('every member has memory of its own', async (t) => {
  const { a, b } = await echo({ a: new Uint8Array(100_000).fill(1), b: new Uint8Array(3) })
  structuredClone(a, { transfer: [a.buffer] })
  t.deepEqual(b, new Uint8Array(3))
})

test('members are copied, lent, shared or moved, each as it says', async (t) => {
  const length = 100_000
  const lent = new Float32Array(length).fill(2)
  const shared = new Uint8Array(new SharedArrayBuffer(length)).fill(3)
  const copied = new Int16Array(length).fill(4)
  const back = await echo({ deep: { lent: lend(lent) }, shared, copied, view: new DataView(new ArrayBuffer(length)) })
  t.deepEqual(back.deep.lent, lent)
  t.deepEqual(back.copied, copied)
  t.true(back.shared.length === length && back.shared.every((/** @type {number} */ byte) => byte === 3))
  t.is(back.view.length, length)
  const moved = new Float64Array(length).fill(5)
  const { it, n } = await echo(move({ it: moved, n: 1 }, [moved.buffer]))
  t.is(moved.length, 0)
  t.true(it.every((/** @type {number} */ each) => each === 5) && n === 1)
  const again = new Float64Array(length).fill(6)
  t.is((await echo({ again }, { transferList: [again.buffer] })).again[99], 6)
  t.is(again.length, 0)
})

test('names that mean something to the language are names', async (t) => {
  const input = JSON.parse('{"__proto__":1,"constructor":2}')
  input.bytes = new Uint8Array(1)
  const back = await echo(input)
  t.deepEqual(Object.keys(back), ['__proto__', 'constructor', 'bytes'])
  t.is(Object.getPrototypeOf(back), Object.prototype)
})

test('a setter on the prototype of all objects sees no member', async (t) => {
  /** @type {unknown[]} */
  const seen = []
  Object.defineProperty(Object.prototype, 'trapped', { configurable: true, set: (value) => seen.push(value) })
  try {
    const back = await echo(Object.defineProperty({}, 'trapped', { value: new Uint8Array(2), enumerable: true }))
    t.deepEqual(Object.getOwnPropertyDescriptor(back, 'trapped')?.value, new Uint8Array(2))
  } finally {
    Reflect.deleteProperty(Object.prototype, 'trapped')
  }
  t.deepEqual(seen, [])
})

test('a getter of a member that makes calls of its own disturbs nothing', async (t) => {
  /** @type {Promise<unknown>[]} */
  const inner = []
  const input = {
    first: new Uint8Array([1]),
    get second() {
      inner.push(echo({ inside: new Uint8Array([9]), n: 1 }))
      return new Uint8Array([2])
    },
    get third() {
      inner.push(runTask('hash.crc32', 'x'))
      return 3
    }
  }
  t.deepEqual(await echo(input), { first: new Uint8Array([1]), second: new Uint8Array([2]), third: 3 })
  for (const each of await Promise.all(inner)) {
    t.deepEqual(each, typeof each === 'number' ? 0x8cdc1683 : { inside: new Uint8Array([9]), n: 1 })
  }
})

test('what cannot be a member is refused, and takes nothing', async (t) => {
  const moved = new Uint8Array(100)
  /** @type {Record<string, unknown>} */
  const circular = { bytes: moved }
  circular.self = circular
  await t.throwsAsync(echo(circular), { code: 'ERR_RSPOOL_INVALID_ARGUMENT', message: /plain data/ })
  t.is((await failure(echo({ moved, call: () => {} }))).name, 'DataCloneError')
  const inMap = { bytes: moved, map: { toJSON: () => ({ lent: lend(moved) }) } }
  await t.throwsAsync(echo(inMap), { code: 'ERR_RSPOOL_INVALID_ARGUMENT', message: /member of it/ })
  structuredClone(moved, { transfer: [moved.buffer] })
  t.is((await failure(echo({ moved }))).name, 'DataCloneError')
})

test('a record counts for maxInputSize as all of its parts', async (t) => {
  const pool = new Pool({ maxInputSize: 1000 })
  const parts = { a: new Uint8Array(600), b: new Uint8Array(600) }
  await t.throwsAsync(pool.runTask('test.echo', parts), { code: 'ERR_RSPOOL_INPUT_TOO_LARGE' })
  t.is((await pool.runTask('test.echo', { a: parts.a })).a.length, 600)
  await pool.close()
})

test('many records at once come back each to its own call', async (t) => {
  const sizes = Array.from({ length: 300 }, (_, index) => (index * 7919) % 40_000)
  const found = await Promise.all(
    sizes.map((size, index) =>
      echo({ index, bytes: new Uint8Array(size).fill(index % 251), list: Uint16Array.of(index) })
    )
  )
  for (const [index, { index: told, bytes, list }] of found.entries()) {
    t.true(told === index && list[0] === index && bytes.length === sizes[index])
    t.true(bytes.every((/** @type {number} */ byte) => byte === index % 251))
  }
})
