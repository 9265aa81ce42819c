'use strict'

const vm = require('node:vm')
const { once } = require('node:events')
const { Worker } = require('node:worker_threads')
const test = require('ava')
const fc = require('fast-check')
const { AtomicCounters, Cells, readCounters } = require('../lib/counters')

const INVALID = { instanceOf: TypeError, code: 'ERR_RSPOOL_INVALID_ARGUMENT' }
const MAX = 2n ** 63n - 1n
const MIN = -(2n ** 63n)

test('counts from zero', (t) => {
  const counters = new AtomicCounters(['hits', 'misses'])
  t.is(counters.get('hits'), 0)
  t.is(counters.add('hits'), 1)
  t.is(counters.add('hits', 5), 6)
  t.is(counters.add('hits', 10n), 16)
  t.is(counters.sub('hits'), 15)
  t.is(counters.sub('hits', 20), -5)
  t.is(counters.add('hits', -1), -6)
  t.is(counters.get('hits'), -6)
  t.is(counters.getBigInt('hits'), -6n)
  t.deepEqual(counters.snapshot(), { hits: -6, misses: 0 })
})

test('sets, and gives what was set', (t) => {
  const counters = new AtomicCounters(['a'])
  t.is(counters.set('a', 7), 7)
  t.is(counters.set('a', -(2n ** 40n)), -(2 ** 40))
  t.is(counters.get('a'), -(2 ** 40))
})

test('max and min move one way only and give the new value', (t) => {
  const counters = new AtomicCounters(['a'])
  t.is(counters.max('a', 5), 5)
  t.is(counters.max('a', 3), 5)
  t.is(counters.min('a', 4n), 4)
  t.is(counters.min('a', 9), 4)
  t.is(counters.min('a', -9), -9)
  t.is(counters.get('a'), -9)
})

test('compareExchange gives the value before, and replaces only what was expected', (t) => {
  const counters = new AtomicCounters(['a'])
  t.is(counters.compareExchange('a', 0, 5), 0)
  t.is(counters.compareExchange('a', 0, 9), 5)
  t.is(counters.get('a'), 5)
  t.is(counters.compareExchange('a', 5n, -1n), 5)
  t.is(counters.get('a'), -1)
})

test('reset gives what there was, of one counter or of all', (t) => {
  const counters = new AtomicCounters(['a', 'b'])
  counters.add('a', 3)
  counters.add('b', 4)
  t.is(counters.reset('a'), 3)
  t.deepEqual(counters.snapshot(), { a: 0, b: 4 })
  counters.add('a')
  t.deepEqual(counters.reset(), { a: 1, b: 4 })
  t.deepEqual(counters.snapshot(), { a: 0, b: 0 })
})

test('is exact as BigInt and rounded as a number beyond 2^53', (t) => {
  const counters = new AtomicCounters(['a'])
  counters.set('a', Number.MAX_SAFE_INTEGER)
  t.is(counters.add('a'), 2 ** 53)
  t.is(counters.add('a'), 2 ** 53)
  t.is(counters.getBigInt('a'), 2n ** 53n + 1n)
  t.is(counters.sub('a', 2n ** 53n), 1)
})

test('wraps at 64 bits', (t) => {
  const counters = new AtomicCounters(['a'])
  counters.set('a', MAX)
  t.is(counters.add('a'), Number(MIN))
  t.is(counters.getBigInt('a'), MIN)
  t.is(counters.sub('a'), Number(MAX))
  t.is(counters.getBigInt('a'), MAX)
  t.is(counters.sub('a', MIN), -1)
})

test('every result is that of 64-bit arithmetic', (t) => {
  const counters = new AtomicCounters(['a'])
  const int64 = fc.oneof(fc.bigInt({ min: MIN, max: MAX }), fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n }))
  const wrapped = (n) => Number(BigInt.asIntN(64, n))
  const property = fc.property(int64, int64, (start, n) => {
    counters.set('a', start)
    t.is(counters.add('a', n), wrapped(start + n))
    counters.set('a', start)
    t.is(counters.sub('a', n), wrapped(start - n))
    counters.set('a', start)
    t.is(counters.max('a', n), wrapped(start > n ? start : n))
    t.is(counters.min('a', start), Number(start))
    t.is(counters.get('a'), Number(start))
  })
  t.notThrows(() => fc.assert(property, { numRuns: 2000 }))
})

test('a counter has a cache line of its own', (t) => {
  const counters = new AtomicCounters(['a', 'b'])
  t.is(counters.buffer.byteLength, 128)
  counters.add('b', 3)
  t.is(new BigInt64Array(counters.buffer)[8], 3n)
})

test('takes a buffer, keeps what is in it, and may leave some of it unused', (t) => {
  const buffer = new SharedArrayBuffer(200)
  new BigInt64Array(buffer, 0, 1)[0] = 41n
  const counters = new AtomicCounters(['a', 'b'], { buffer })
  t.is(counters.buffer, buffer)
  t.is(counters.add('a'), 42)
  t.is(new AtomicCounters(['x'], { buffer }).get('x'), 42)
})

test('takes a SharedArrayBuffer of another realm', (t) => {
  const buffer = vm.runInNewContext('new SharedArrayBuffer(64)')
  t.false(buffer instanceof SharedArrayBuffer)
  t.is(new AtomicCounters(['a'], { buffer }).add('a'), 1)
})

test('the names are frozen and not those of the caller', (t) => {
  const names = ['a', 'b']
  const counters = new AtomicCounters(names)
  names[0] = 'changed'
  t.deepEqual(counters.names, ['a', 'b'])
  t.true(Object.isFrozen(counters.names))
})

test('any string but the empty one is a name', (t) => {
  const counters = new AtomicCounters(['__proto__', 'constructor', 'ü', ' '])
  counters.add('__proto__', 2)
  const snapshot = counters.snapshot()
  t.deepEqual(Object.keys(snapshot), ['__proto__', 'constructor', 'ü', ' '])
  t.is(Object.getOwnPropertyDescriptor(snapshot, '__proto__')?.value, 2)
  t.is(Object.getPrototypeOf(snapshot), Object.prototype)
})

test('refuses wrong names', (t) => {
  const list = (/** @type {any} */ names) => () => new AtomicCounters(names)
  for (const names of [undefined, null, 'hits', {}, [], new Set(['a']), 3]) t.throws(list(names), INVALID)
  t.throws(list(['a', '']), { ...INVALID, message: /'names\[1\]'.*not empty/ })
  t.throws(list(['a', 1]), { ...INVALID, message: /'names\[1\]'/ })
  t.throws(list(['a', 'b', 'a']), { ...INVALID, message: /'a' twice/ })
  // biome-ignore lint/suspicious/noSparseArray: a hole is what is refused
  t.throws(list([, 'a']), { ...INVALID, message: /'names\[0\]'/ })
})

test('refuses wrong options and buffers', (t) => {
  const make = (/** @type {any} */ options) => () => new AtomicCounters(['a', 'b'], options)
  t.throws(make({ bufer: 1 }), { ...INVALID, message: /'bufer'.*Did you mean 'buffer'/ })
  t.throws(make(5), INVALID)
  t.throws(make({ buffer: new ArrayBuffer(128) }), { ...INVALID, message: /SharedArrayBuffer/ })
  t.throws(make({ buffer: new BigInt64Array(new SharedArrayBuffer(128)) }), INVALID)
  t.throws(make({ buffer: new SharedArrayBuffer(127) }), { ...INVALID, message: /at least 128, got 127/ })
  t.notThrows(make({ buffer: undefined }))
  t.notThrows(make(Object.create({ bufer: 1 })))
})

test('refuses unknown counters in every method, with the nearest', (t) => {
  const counters = new AtomicCounters(['hits', 'misses'])
  const methods = ['add', 'sub', 'get', 'getBigInt', 'set', 'max', 'min', 'compareExchange', 'reset']
  for (const method of methods) {
    t.throws(() => counters[method]('hist', 1, 1), { ...INVALID, message: /'hist'\. Did you mean 'hits'\?/ }, method)
  }
  for (const name of [undefined, null, 0, {}, 'toString', '__proto__']) {
    t.throws(() => counters.add(/** @type {any} */ (name)), INVALID)
  }
  t.deepEqual(counters.snapshot(), { hits: 0, misses: 0 })
})

test('refuses what is no integer of 64 bits, and changes nothing', (t) => {
  const counters = new AtomicCounters(['a'])
  for (const n of [NaN, Infinity, 1.5, 2 ** 53, '1', null, true, {}, MAX + 1n, MIN - 1n]) {
    const wrong = /** @type {any} */ (n)
    for (const method of ['add', 'sub', 'set', 'max', 'min']) {
      t.throws(() => counters[method]('a', wrong), { ...INVALID, message: new RegExp(`^${method}: n must be`) })
    }
    t.throws(() => counters.compareExchange('a', wrong, 1), INVALID)
    t.throws(() => counters.compareExchange('a', 0, wrong), INVALID)
  }
  for (const method of ['set', 'max', 'min']) t.throws(() => counters[method]('a'), INVALID)
  t.is(counters.getBigInt('a'), 0n)
})

test('what share gives is plain, and from makes counters on the same cells', (t) => {
  const counters = new AtomicCounters(['a', 'b'])
  const shared = structuredClone(counters.share())
  t.deepEqual(Object.keys(shared), ['type', 'names', 'buffer'])
  const others = AtomicCounters.from(shared)
  others.add('b', 2)
  t.is(counters.get('b'), 2)
  t.deepEqual(others.names, counters.names)
  AtomicCounters.from(counters).add('b')
  t.is(counters.get('b'), 3)
})

test('from refuses anything else', (t) => {
  const shared = new AtomicCounters(['a', 'b']).share()
  const inherited = Object.create(shared)
  const cloned = structuredClone({ ...new AtomicCounters(['a']) })
  for (const wrong of [undefined, null, 1, 'a', [], {}, shared.buffer, inherited, cloned]) {
    t.throws(() => AtomicCounters.from(/** @type {any} */ (wrong)), { ...INVALID, message: /share\(\)/ })
  }
  t.throws(() => AtomicCounters.from({ ...shared, names: ['a', 'b', 'c'] }), INVALID)
  t.throws(() => AtomicCounters.from({ ...shared, names: 'a' }), INVALID)
  t.throws(() => AtomicCounters.from({ ...shared, buffer: new ArrayBuffer(128) }), INVALID)
})

test('counters over other memory count there, and are not shared by message', (t) => {
  class RegionCounters extends AtomicCounters {
    /** @param {string[]} names @param {BigInt64Array} view */
    constructor(names, view) {
      super(names, new Cells(view))
    }
  }
  const view = new BigInt64Array(16)
  const counters = new RegionCounters(['a', 'b'], view)
  t.is(counters.add('b', 5), 5)
  t.is(view[8], 5n)
  t.is(counters.buffer, view.buffer)
  t.throws(() => counters.share(), { code: 'ERR_RSPOOL_NOT_SHAREABLE' })
  t.is(readCounters(counters, 'counters').view, view)
})

test('threads lose no count', async (t) => {
  const each = 100_000
  const counters = new AtomicCounters(['n', 'largest'])
  const source = `
    const { workerData } = require('node:worker_threads')
    const { AtomicCounters } = require(workerData.file)
    const counters = AtomicCounters.from(workerData.shared)
    for (let i = 1; i <= ${each}; i++) {
      counters.add('n', 2)
      counters.sub('n')
      counters.max('largest', i * 10 + workerData.id)
    }`
  const file = require.resolve('../lib/counters')
  const shared = counters.share()
  const workers = [1, 2, 3].map((id) => new Worker(source, { eval: true, workerData: { id, file, shared } }))
  const codes = await Promise.all(workers.map((worker) => once(worker, 'exit')))
  t.deepEqual(codes.flat(), [0, 0, 0])
  t.deepEqual(counters.snapshot(), { n: 3 * each, largest: each * 10 + 3 })
})
