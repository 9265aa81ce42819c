'use strict'

// What the task sees, and what comes back, is what structuredClone gives.

const { createHash } = require('node:crypto')
const { inspect, types } = require('node:util')
const fc = require('fast-check')
const test = require('ava')
const { failure, makePool, taskPool, fixture } = require('./helpers')

/** Two clones, as through a pool and back. A Buffer in a slab keeps its own bytes only. */
const twice = (value) => structuredClone(structuredClone(value))

test.before(async (t) => {
  const { Pool } = require('../index.js')
  t.context.pool = new Pool({ filename: fixture('tasks.js'), maxThreads: 2 })
})
test.after.always((t) => t.context.pool.destroy())

const cyclic = { name: 'cycle' }
cyclic.self = cyclic
cyclic.list = [cyclic, { cyclic }]
const aliased = { n: 1 }
const buffer = new ArrayBuffer(64)
// biome-ignore lint/suspicious/noSparseArray: holes are what is tested
const holed = () => [1, , 3]
const sparse = holed()
sparse.length = 10
const withProperties = Object.assign([1, 2], { extra: 'x' })
const nullPrototype = Object.assign(Object.create(null), { a: 1 })
class Point {
  constructor() {
    this.x = 1
  }
  get y() {
    return 2
  }
}
const hiding = Object.defineProperty({ seen: 1 }, 'unseen', { value: 2, enumerable: false })

const values = {
  undefined: undefined,
  null: null,
  true: true,
  false: false,
  zero: 0,
  'negative zero': -0,
  NaN: NaN,
  Infinity: Infinity,
  '-Infinity': -Infinity,
  'smallest number': 5e-324,
  'largest number': Number.MAX_VALUE,
  'int32 bounds': [2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 255, 256, -1],
  'safe integers': [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
  'small BigInt': 0n,
  'negative BigInt': -1n,
  'large BigInt': 2n ** 5000n - 1n,
  'huge BigInt': -(16n ** 5000n),
  'BigInts in an object': { a: 1n, b: -(2n ** 64n) },
  'empty string': '',
  'short string': 'abc',
  'latin1 string': 'déjà vu ÿ',
  'two-byte string': '漢字 and 🙂',
  'string with NUL': 'a\0b',
  'lone surrogates': '\ud800 x \udfff',
  'long lone surrogates': `${'x'.repeat(5000)}\udc00`,
  'long ascii': 'x'.repeat(100_000),
  'long latin1': 'é'.repeat(100_000),
  'long two-byte': '漢'.repeat(100_000),
  'strings of every length around the borders': [23, 24, 25, 39, 40, 41, 255, 256, 2047, 2048, 2049].map((n) =>
    'x'.repeat(n)
  ),
  'other strings of those lengths': [23, 24, 25, 39, 40, 41, 255, 256, 1023, 1024, 1025].map((n) => 'é漢'.repeat(n)),
  'texts of every length around that which a byte tells': Array.from({ length: 300 }, (_, n) => 'x'.repeat(n)),
  'texts of more than a piece, some of them wide': Array.from({ length: 3000 }, (_, n) =>
    n % 700 ? `text ${n}` : '漢字'
  ),
  'texts, and then others': [...Array.from({ length: 20 }, (_, n) => `text ${n}`), 1, null, { a: 'b' }, 'text', '', []],
  'texts, and then holes': Object.assign(new Array(30), [...'a text of twenty-one.']),
  'one text, and then others': ['text', ...Array.from({ length: 20 }, (_, n) => n)],
  'short texts after long ones': {
    few: ['a long text', 'b'],
    many: Array.from({ length: 20 }, String),
    last: 'the last text'
  },
  'keys of all kinds': { '': 1, 0: 2, '-1': 3, 'a b': 4, é: 5, 漢: 6, '\ud800': 7, 'x\0y': 8, constructor: 9 },
  'key order': { b: 1, a: 2, 10: 3, 9: 4 },
  'own __proto__': JSON.parse('{"__proto__": {"polluted": true}, "a": 1}'),
  'own toString': { toString: 'not a function', valueOf: 1, toJSON: 2 },
  'empty object': {},
  'nested object': { a: { b: { c: { d: [{}] } } } },
  'deep object': Array.from({ length: 500 }).reduce((inner) => ({ inner }), 1),
  'deep array': Array.from({ length: 500 }).reduce((inner) => [inner], 1),
  'wide object': Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`key${n}`, n])),
  'long array': Array.from({ length: 50_000 }, (_, n) => n),
  'records of one shape': Array.from({ length: 100 }, (_, n) => ({ id: n, name: `n${n}`, flag: n % 2 === 0 })),
  'empty array': [],
  'array of undefined': [undefined, undefined],
  'sparse array': sparse,
  'array with a hole and a property': Object.assign(holed(), { p: 1 }),
  'array with properties': withProperties,
  'only holes': new Array(5),
  'object without prototype': nullPrototype,
  'class instance': new Point(),
  'non-enumerable property': hiding,
  'symbol key': { [Symbol('s')]: 1, a: 2 },
  'undefined property': { a: undefined },
  Date: new Date(0),
  'invalid Date': new Date(NaN),
  'negative Date': new Date(-1),
  RegExp: /a(b)+/giu,
  Map: new Map([
    [1, { a: 1 }],
    ['k', new Map()],
    [NaN, -0]
  ]),
  'Map with an object as key': new Map([[{ k: 1 }, 1]]),
  Set: new Set([1, 'a', NaN, { a: 1 }, new Set([1])]),
  'boxed number': Object(1),
  'boxed string': Object('s'),
  'boxed boolean': Object(false),
  'boxed BigInt': Object(1n),
  Error: new Error('message'),
  'error types': [new TypeError('t'), new RangeError('r'), new SyntaxError('s'), new EvalError('e'), new URIError('u')],
  'error with a cause': new Error('outer', { cause: new TypeError('inner') }),
  'error with a foreign name': Object.assign(new Error('x'), { name: 'Foreign' }),
  cycle: cyclic,
  'cycle in a Map': (() => {
    const map = new Map()
    map.set('self', map).set(map, 'key')
    return map
  })(),
  'cycle in a Set': (() => {
    const set = new Set()
    return set.add(set)
  })(),
  'same object twice': { a: aliased, b: aliased, c: [aliased] },
  'many objects, some twice': (() => {
    const all = Array.from({ length: 40 }, (_, n) => ({ n }))
    return [...all, ...all.reverse()]
  })(),
  ArrayBuffer: Uint8Array.from([1, 2, 3]).buffer,
  'empty ArrayBuffer': new ArrayBuffer(0),
  'large ArrayBuffer': new Uint8Array(100_000).fill(5).buffer,
  Uint8Array: new Uint8Array([1, 2, 255]),
  'empty Uint8Array': new Uint8Array(0),
  'large Uint8Array': new Uint8Array(1_000_000).fill(9),
  Int8Array: new Int8Array([-1, 2]),
  Uint8ClampedArray: new Uint8ClampedArray([300, -1]),
  Int16Array: new Int16Array([-1, 2]),
  Uint16Array: new Uint16Array([1, 65_535]),
  Int32Array: new Int32Array([-1, 2]),
  Uint32Array: new Uint32Array([1, 2 ** 32 - 1]),
  Float32Array: new Float32Array([1.5, -0, NaN]),
  Float64Array: new Float64Array([1.5, -0, NaN]),
  BigInt64Array: new BigInt64Array([-1n, 2n]),
  BigUint64Array: new BigUint64Array([2n ** 64n - 1n]),
  DataView: new DataView(Uint8Array.from([1, 2, 3, 4]).buffer, 1, 2),
  'whole DataView': new DataView(Uint8Array.from([1, 2, 3, 4]).buffer),
  'view into a buffer': new Uint8Array(buffer, 8, 16),
  'two views on one buffer': [new Uint8Array(buffer, 0, 8), new Int32Array(buffer, 8, 4)],
  'a buffer and a view on it': { buffer, view: new Uint16Array(buffer, 2, 3) },
  'a view first and its buffer': { view: new Float64Array(buffer, 8, 1), buffer },
  'empty view at an offset': new Uint8Array(buffer, 8, 0),
  'views in a list': [new Uint8Array([1]), new Float64Array([2]), new BigInt64Array([3n])],
  'large Buffer': Buffer.alloc(20_000, 1),
  'own Buffer': Buffer.from(Uint8Array.from([1, 2, 3]).buffer)
}
if (typeof Float16Array === 'function') values.Float16Array = new globalThis.Float16Array([1.5, -0])
if (ArrayBuffer.prototype.resize) {
  const resizable = new ArrayBuffer(8, { maxByteLength: 32 })
  values['resizable ArrayBuffer'] = resizable
  values['length-tracking view'] = new Uint8Array(resizable)
  values['view of fixed length on a resizable buffer'] = new Uint8Array(resizable, 2, 4)
}

for (const [title, value] of Object.entries(values)) {
  test(`exact: ${title}`, async (t) => {
    t.is(shape(await t.context.pool.run(value)), shape(twice(value)))
  })
}

/** All that there is to a value, as text: classes, offsets, buffers, holes, sharing; but no stacks. */
function shape(root) {
  const seen = new Map()
  const parts = []
  const visit = (value) => {
    if (typeof value === 'string') return parts.push(JSON.stringify(value))
    if (value === null || typeof value !== 'object') {
      return parts.push(`${typeof value} ${Object.is(value, -0) ? '-0' : String(value)}`)
    }
    if (seen.has(value)) return parts.push(`#${seen.get(value)}`)
    seen.set(value, seen.size)
    parts.push(Object.prototype.toString.call(value), String(Object.getPrototypeOf(value)?.constructor?.name))
    if (ArrayBuffer.isView(value)) {
      parts.push(`${value.byteOffset}+${value.byteLength}`)
      return visit(value.buffer)
    }
    if (types.isArrayBuffer(value)) {
      const hash = createHash('sha256').update(new Uint8Array(value)).digest('hex')
      return parts.push(`${value.byteLength} ${value.resizable} ${value.maxByteLength} ${hash}`)
    }
    if (types.isDate(value)) parts.push(value.getTime())
    if (types.isRegExp(value) || types.isBoxedPrimitive(value)) parts.push(String(value))
    if (types.isNativeError(value)) {
      parts.push(value.name, value.message)
      return visit(value.cause)
    }
    if (types.isMap(value) || types.isSet(value)) {
      for (const each of [...value].flat(1)) visit(each)
      return
    }
    if (Array.isArray(value)) parts.push(`length ${value.length}`)
    for (const key of Object.keys(value)) {
      parts.push(JSON.stringify(key))
      visit(value[key])
    }
  }
  visit(root)
  return parts.join(' ')
}

test('the task sees what one clone gives', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const look = (value) => {
    const { types } = require('node:util')
    const { x } = value
    return [
      x.constructor.name,
      types.isTypedArray(x) && x.byteOffset,
      types.isTypedArray(x) && x.buffer.byteLength,
      Object.keys(x).length
    ]
  }
  t.deepEqual(await pool.runTask(look, { x: new Uint8Array(buffer, 8, 16) }), ['Uint8Array', 8, 64, 16])
  t.deepEqual(await pool.runTask(look, { x: new Point() }), ['Object', false, false, 1])
  t.deepEqual(await pool.runTask(look, { x: holed() }), ['Array', false, false, 2])
})

test('a Buffer arrives as a Uint8Array with its own bytes only', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const secret = Buffer.from('a secret of the neighbour')
  const small = Buffer.from('abc')
  t.is(small.buffer, secret.buffer, 'both in the slab')
  const look = (view) => {
    const inner = view instanceof Uint8Array ? view : view.inner
    return [inner.constructor.name, inner.byteOffset, Array.from(new Uint8Array(inner.buffer))]
  }
  const expected = ['Uint8Array', 0, [...small]]
  t.deepEqual(await pool.runTask(look, small), expected)
  t.deepEqual(await pool.runTask(look, { inner: small }), expected)
  const [a, b] = await pool.runTask((list) => list, [[small, small.subarray(1)]])
  t.deepEqual(
    [[...a], [...b]],
    [
      [97, 98, 99],
      [98, 99]
    ]
  )
})

test('a Buffer that a task returns arrives as a Uint8Array', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const result = await pool.runTask(() => Buffer.from('abc'))
  t.is(Object.getPrototypeOf(result), Uint8Array.prototype)
  t.deepEqual([...result], [97, 98, 99])
  t.is(result.buffer.byteLength, 3)
})

test('an object that comes back is as at the return', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const late = () => {
    const list = [1]
    setImmediate(() => list.push(2))
    return list
  }
  t.deepEqual(await pool.runTask(late), [1])
})

test('shared memory is shared, both ways', async (t) => {
  const { pool } = { pool: makePool(t, { maxThreads: 1 }) }
  const shared = new Int32Array(new SharedArrayBuffer(8))
  const add = (view) => {
    Atomics.add(view.inner ?? view, 0, 5)
    return view
  }
  const back = await pool.runTask(add, shared)
  t.is(shared[0], 5)
  Atomics.add(back, 1, 7)
  t.is(shared[1], 7)
  await pool.runTask(add, { inner: shared })
  t.is(shared[0], 10)
  await pool.runTask((memory) => Atomics.add(new Int32Array(memory), 0, 1), shared.buffer)
  t.is(shared[0], 11)
  const made = await pool.runTask(() => {
    globalThis.kept = new Int32Array(new SharedArrayBuffer(4))
    return globalThis.kept
  })
  Atomics.store(made, 0, 42)
  t.is(await pool.runTask(() => globalThis.kept[0]), 42)
})

test('shared memory is found where the value before had it, elsewhere, and not where there is none', async (t) => {
  const { pool } = t.context
  const memory = () => new Int32Array(new SharedArrayBuffer(8))
  const isSame = (one, other) => {
    Atomics.store(one, 0, 7)
    return Atomics.load(other, 0) === 7
  }
  for (const make of [
    (value) => ({ name: 'first', cells: value }),
    (value) => ({ name: 'under the same key', cells: value }),
    (value) => value,
    (value) => [value, 'in a list'],
    (value) => ({ nested: { cells: value } }),
    (value) => ({
      get cells() {
        return value
      }
    })
  ]) {
    const value = memory()
    const given = await pool.run(make(value))
    t.true(
      isSame(
        value,
        [given, given.cells, given[0], given.nested?.cells].find((each) => each instanceof Int32Array)
      )
    )
    t.deepEqual(await pool.run({ name: 'none', cells: 1 }), { name: 'none', cells: 1 })
    t.deepEqual(await pool.run(new Int32Array([1, 2])), new Int32Array([1, 2]))
    t.deepEqual(await pool.run([1]), [1])
  }
  const proxy = new Proxy({ cells: memory() }, {})
  t.is((await failure(pool.run(proxy))).name, 'DataCloneError')
})

test('shared memory goes to queued tasks as well', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const shared = new Int32Array(new SharedArrayBuffer(4))
  const running = pool.runTask('block')
  await gate.arrival()
  const pending = Array.from({ length: 50 }, () => pool.runTask((view) => Atomics.add(view, 0, 1), shared))
  gate.open()
  await Promise.all([running, ...pending])
  t.is(shared[0], 50)
})

const refused = {
  function: () => {},
  symbol: Symbol('s'),
  'function in an object': { f() {} },
  'symbol in a list': [Symbol('s')],
  'function in a Map': new Map([[1, () => {}]]),
  'function as a key': new Set([() => {}]),
  WeakMap: new WeakMap(),
  WeakSet: new WeakSet(),
  Promise: Promise.resolve(1),
  Proxy: new Proxy({}, {}),
  'Proxy of an array': new Proxy([], {}),
  generator: (function* () {})(),
  'Map iterator': new Map().values(),
  'object with the prototype of another': Object.setPrototypeOf(new WeakMap(), Object.prototype)
}

for (const [title, value] of Object.entries(refused)) {
  test(`refused: ${title}`, async (t) => {
    t.throws(() => structuredClone(value), { any: true })
    for (let i = 0; i < 2; i++) {
      const error = await failure(t.context.pool.run(value))
      t.is(error.name, 'DataCloneError', inspect(error))
      t.true(error instanceof DOMException)
    }
    t.is(await t.context.pool.run(1), 1)
  })
}

test('refused: while all workers are busy, at once', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = pool.runTask('block')
  await gate.arrival()
  for (const value of Object.values(refused)) t.is((await failure(pool.run(value))).name, 'DataCloneError')
  gate.open()
  await running
})

test('refused: a detached buffer and its views, on both lanes', async (t) => {
  const { pool } = t.context
  const view = new Uint8Array(10)
  const detached = view.buffer
  structuredClone(detached, { transfer: [detached] })
  for (const value of [detached, view, new DataView(new ArrayBuffer(0)), { view }, [detached]]) {
    if (value instanceof DataView) continue
    t.is((await failure(pool.run(value))).name, 'DataCloneError')
    if (!Array.isArray(value) && !value.view) {
      t.is((await failure(pool.runTask('hash.crc32', value))).name, 'DataCloneError')
    }
  }
})

test('refused: a result, which rejects its own task', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  for (let i = 0; i < 3; i++) {
    const pending = [pool.run(1), pool.runTask('uncloneable'), pool.run(2)]
    t.is((await failure(pending[1])).name, 'DataCloneError')
    t.is(await pending[0], 1)
    t.is(await pending[2], 2)
  }
  t.is((await failure(pool.runTask(async () => Symbol('s')))).name, 'DataCloneError')
  t.is((await failure(pool.runTask(() => ({ nested: [() => {}] })))).name, 'DataCloneError')
})

test('a getter that throws rejects with what it threw, and harms nothing', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const thrown = new RangeError('from a getter')
  const bad = {
    get x() {
      throw thrown
    }
  }
  for (const input of [bad, [bad], { a: 'text', bad }, new Map([[1, bad]]), { error: new Error('x'), bad }]) {
    t.is(await failure(pool.run(input)), thrown)
  }
  t.deepEqual(await pool.run({ a: 1 }), { a: 1 })
  const result = () => ({
    get x() {
      throw new RangeError('from a getter')
    }
  })
  await t.throwsAsync(pool.runTask(result), { name: 'RangeError', message: 'from a getter' })
  t.deepEqual(await pool.run({ a: 1 }), { a: 1 })
})

test('a getter may change what is read after it', async (t) => {
  const make = () => ({
    get first() {
      this.second = 'changed'
      return 1
    },
    second: 'as it was'
  })
  t.deepEqual(await t.context.pool.run(make()), twice(make()))
})

test('a getter may itself run tasks', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 2 })
  for (const inner of [1, 'a longer text than a short one', { a: 'text', b: [1] }, new Uint8Array(300).fill(1)]) {
    for (const rest of ['plain', /by port/]) {
      let promise
      const outer = {
        before: 'the text that is written first',
        get middle() {
          promise = pool.run(inner)
          return 'middle'
        },
        after: rest
      }
      const result = await pool.run(outer)
      t.deepEqual(result, { before: 'the text that is written first', middle: 'middle', after: rest })
      t.deepEqual(await promise, inner)
    }
  }
})

test('what fails to be read in the worker rejects its task alone', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  await pool.runTask(() => {
    const set = () => {
      delete Array.prototype[20]
      throw new RangeError('no memory')
    }
    Object.defineProperty(Array.prototype, 20, { set, configurable: true })
  })
  const data = { rows: Array.from({ length: 30 }, (_, i) => ({ i })) }
  await t.throwsAsync(
    pool.runTask((value) => value, data),
    { message: 'no memory' }
  )
  t.deepEqual(await pool.runTask((value) => value, data), data)
})

test('a patched prototype changes no payload', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const results = await pool.runTask(() => {
    Map.prototype.forEach = () => {}
    Date.prototype.getTime = () => 7
    Object.defineProperty(Object.prototype, 'inherited', { value: 1, enumerable: true, configurable: true })
    return { map: new Map([[1, 2]]), date: new Date(5), list: [1, 2, 3] }
  })
  t.deepEqual(results, { map: new Map([[1, 2]]), date: new Date(5), list: [1, 2, 3] })
})

test('property: what structuredClone gives twice, for any value', async (t) => {
  const { pool } = t.context
  const leaf = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.bigInt(),
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.string({ minLength: 30, maxLength: 3000 }),
    fc.constantFrom(undefined, null, true, false, -0, NaN, '\ud800'),
    fc.date({ noInvalidDate: false }),
    fc.uint8Array(),
    fc.float64Array(),
    fc.int16Array()
  )
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      tie('list'),
      tie('object'),
      tie('map'),
      tie('set'),
      tie('sparse')
    ),
    list: fc.array(tie('tree'), { maxLength: 6 }),
    sparse: fc.sparseArray(tie('tree'), { maxNumElements: 4 }),
    object: fc.dictionary(fc.string(), tie('tree'), { maxKeys: 6 }),
    map: fc.array(fc.tuple(leaf, tie('tree')), { maxLength: 4 }).map((entries) => new Map(entries)),
    set: fc.array(leaf, { maxLength: 4 }).map((all) => new Set(all))
  }))
  // Some values hold one object several times.
  const shared = fc.tuple(tree, tree).map(([a, b]) => ({ a, b, again: [a, { a }], list: [b, b] }))
  await fc.assert(
    fc.asyncProperty(fc.oneof(tree, shared), async (value) => {
      const actual = await pool.run(value)
      const expected = twice(value)
      if (shape(actual) !== shape(expected)) {
        throw new Error(`${inspect(actual)}, not ${inspect(expected)}`)
      }
    }),
    { numRuns: 600 }
  )
  t.pass()
})
