'use strict'

// Random values, encoded and decoded, beside what `structuredClone` gives: the same values, the same holes, the same
// references between them. What is refused takes the way through a port, which is the engine's.

const assert = require('node:assert')
const test = require('ava')
const { Frame } = require('../lib/native/memory')
const { decode } = require('../lib/payload/decode')
const { UNSUPPORTED } = require('../lib/payload/encode')
const { TAGS } = require('../lib/payload/tags')
const { through } = require('./codec')

/** A generator of numbers below a limit, the same for the same seed. @param {number} seed */
function generator(seed) {
  let state = seed
  return (/** @type {number} */ below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

class Point {
  #secret = 1
  constructor(/** @type {unknown} */ x, /** @type {unknown} */ y) {
    this.x = x
    this.y = y
  }
  get sum() {
    return this.#secret
  }
}
class Derived extends Point {
  own = 'own'
}
class Named extends Map {
  name = 'named'
}

const NUMBERS = [0, -0, 1, -1, 255, 256, -256, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 0.5, NaN, Infinity, -Infinity, 1e300]
const TEXTS = [
  '',
  'a',
  'ab',
  'äöü',
  '日本語',
  '\ud800',
  'key',
  '__proto__',
  'constructor',
  '12',
  'x'.repeat(300),
  'é'.repeat(50)
]

/** @param {(below: number) => number} next */
function values(next) {
  /** @type {object[]} */
  const made = []
  const pick = (/** @type {any[]} */ list) => list[next(list.length)]
  const number = () => (next(2) ? pick(NUMBERS) : next(1000) - 500)
  const text = () => (next(6) === 0 ? pick(TEXTS).repeat(next(200)) : pick(TEXTS) + next(50))
  const primitive = () =>
    pick([number, number, text, text, () => true, () => null, () => undefined, () => BigInt(next(9)) ** 30n])()
  const fill = (/** @type {any} */ object, /** @type {number} */ depth, /** @type {number} */ count) => {
    made.push(object)
    for (let i = 0; i < count; i++)
      Object.defineProperty(object, next(4) ? `k${next(12)}` : text(), {
        value: any(depth - 1),
        enumerable: true,
        configurable: true,
        writable: true
      })
    return object
  }
  /** @type {((depth: number) => any)[]} */
  const kinds = [
    (depth) => fill({}, depth, next(6)),
    (depth) => fill({}, 1, next(60)) && fill({}, depth, next(3)),
    () => Object.fromEntries(Array.from({ length: next(80) }, (_, i) => [`id${next(9)}-${i}`, primitive()])),
    (depth) => fill(Object.create(null), depth, next(5)),
    (depth) => fill(new Point(number(), any(depth - 1)), depth, 0),
    (depth) => fill(new Derived(number(), number()), depth, next(3)),
    () => fill(new Named([[number(), text()]]), 0, 1),
    (depth) => {
      const array = /** @type {unknown[]} */ ([])
      made.push(array)
      for (let i = next(8); i > 0; i--) array.push(any(depth - 1))
      return array
    },
    () => Array.from({ length: next(150) }, number),
    () => Array.from({ length: next(100) }, (_, i) => (i > 20 && next(40) === 0 ? text() : number())),
    () => Array.from({ length: next(100) }, text),
    () => Array.from({ length: next(100) }, (_, i) => (i > 20 && next(30) === 0 ? primitive() : text())),
    () => Object.assign(Array.from({ length: next(100) }, number), { [text()]: number() }),
    () => {
      const array = /** @type {unknown[]} */ (Array.from({ length: next(200) }, primitive))
      for (let i = next(5); i > 0; i--) delete array[next(array.length || 1)]
      return array
    },
    () => {
      const array = /** @type {unknown[]} */ ([])
      for (let i = next(4); i > 0; i--) array[next(500)] = primitive()
      return array
    },
    (depth) => {
      const map = new Map()
      made.push(map)
      for (let i = next(5); i > 0; i--) map.set(any(depth - 1), any(depth - 1))
      return map
    },
    (depth) => new Set(Array.from({ length: next(5) }, () => any(depth - 1))),
    () => new Date(pick([0, -1, 8.64e15])),
    () =>
      Object.assign(new RegExp(pick(['a', 'x/y', '\n', '(?<n>b)', '[/]']), pick(['', 'g', 'giu', 'dy', 's'])), {
        lastIndex: 3
      }),
    () => new Float64Array(Array.from({ length: next(20) }, number)),
    () => new DataView(new Uint8Array(next(20) + 4).buffer, 2),
    () => {
      const buffer = new Uint8Array(32).fill(7).buffer
      made.push(buffer)
      return [new Uint8Array(buffer, 4, 8), new Int16Array(buffer, 2, 3), buffer]
    },
    () => new Uint8Array(Buffer.from(text())),
    () => pick([new Error('error'), new Number(4), new String('boxed'), Object(1n), new Blob([])]),
    () => ({ 5: 'five', 1: 'one', name: 'indices' })
  ]
  /** @param {number} depth @returns {any} */
  function any(depth) {
    if (depth <= 0 || next(3) === 0) return primitive()
    if (made.length > 0 && next(8) === 0) return pick(made)
    return pick(kinds)(depth)
  }
  return any
}

/**
 * Whether two values have the same references between their parts.
 * @param {any} a
 * @param {any} b
 * @param {Map<object, object>} pairs
 */
function assertSameReferences(a, b, pairs = new Map()) {
  if (a === null || typeof a !== 'object') return
  if (pairs.has(a)) return assert.strictEqual(pairs.get(a), b)
  pairs.set(a, b)
  if (ArrayBuffer.isView(a)) return assertSameReferences(a.buffer, b.buffer, pairs)
  if (a instanceof Map) {
    const others = [...b]
    for (const [i, entry] of [...a].entries())
      for (const j of [0, 1]) assertSameReferences(entry[j], others[i][j], pairs)
  } else if (a instanceof Set) for (const [i, each] of [...a].entries()) assertSameReferences(each, [...b][i], pairs)
  else for (const key of Object.keys(a)) assertSameReferences(a[key], b[key], pairs)
}

test('random values arrive as structuredClone gives them', (t) => {
  let encoded = 0
  for (let seed = 1; seed <= 2500; seed++) {
    const value = values(generator(seed))(4)
    const is = value !== null && typeof value === 'object'
    if (!is) continue
    const right = structuredClone(value)
    let given
    try {
      given = through(value)
    } catch (error) {
      assert.strictEqual(error, UNSUPPORTED, `seed ${seed}: ${error?.stack}`)
      continue
    }
    encoded++
    assert.deepStrictEqual(given, right, `seed ${seed}`)
    assertSameReferences(right, given)
    assert.strictEqual(new Set(Object.keys(given)).size, Object.keys(right).length)
    assert.deepStrictEqual(Object.keys(given), Object.keys(right), `seed ${seed}`)
  }
  // Else it tells nothing.
  t.true(encoded > 1000, `${encoded}`)
})

test('values of any depth arrive, of which each level is what it was', (t) => {
  for (const depth of [255, 256, 257, 1000, 20_000]) {
    let value = /** @type {any} */ ('bottom')
    for (let i = 0; i < depth; i++) {
      if (i % 4 === 0) value = [i, value]
      else if (i % 4 === 1) value = { [`level ${i}`]: value, date: new Date(i) }
      else value = i % 4 === 2 ? { i, value } : Object.assign(Object.create(null), { i: [], value })
    }
    const shared = { shared: value }
    let given = /** @type {any} */ (through({ shared, again: shared }))
    assert.strictEqual(given.shared, given.again)
    given = given.shared.shared
    let levels = 0
    for (; value !== 'bottom'; levels++) {
      assert.deepStrictEqual(Object.keys(given), Object.keys(value))
      assert.strictEqual(Array.isArray(given), Array.isArray(value))
      const keys = Object.keys(value)
      const inner = keys.find((key) => key.startsWith('level ')) ?? keys[1]
      for (const key of keys) if (key !== inner) assert.deepStrictEqual(given[key], value[key])
      value = value[inner]
      given = given[inner]
    }
    assert.strictEqual(given, 'bottom')
    assert.strictEqual(levels, depth)
  }
  t.pass()
})

test('a getter is read once, wherever it stands in a value that is encoded', (t) => {
  for (const make of [
    () => ({}),
    () => Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${Math.random()}${i}`, i])),
    () => Array.from({ length: 200 }, (_, i) => i),
    () => Array.from({ length: 10 }, (_, i) => `${i}`),
    () => new Point(1, 2)
  ]) {
    // The class is known: the engine need not be asked about it.
    through(new Point(1, 2))
    const value = make()
    let reads = 0
    Object.defineProperty(value, Array.isArray(value) ? 3 : 'read', {
      enumerable: true,
      configurable: true,
      get: () => ++reads
    })
    const given = /** @type {any} */ (through(value))
    t.is(reads, 1)
    t.is(Array.isArray(given) ? given[3] : given.read, 1)
  }
})

test('a value that no longer fits, and one that a getter in it has encoded, keep apart', (t) => {
  const large = 'x'.repeat(100_000)
  let inner
  const value = {
    before: Array.from({ length: 20_000 }, (_, i) => i / 3),
    get nested() {
      inner = through({ large, list: Array.from({ length: 20_000 }, (_, i) => i) })
      return 'outer'
    },
    after: large
  }
  const given = /** @type {any} */ (through(value))
  t.is(given.nested, 'outer')
  t.is(given.after, large)
  t.is(given.before[19_999], 19_999 / 3)
  t.is(/** @type {any} */ (inner).list.length, 20_000)
  t.is(/** @type {any} */ (inner).large, large)
})

test('texts of an array, and those that a getter among them has encoded, keep apart', (t) => {
  let inner
  const value = Array.from({ length: 40 }, (_, i) => `outer text ${i}`)
  Object.defineProperty(value, 20, {
    enumerable: true,
    get() {
      inner = through({ name: 'inner', list: Array.from({ length: 40 }, (_, i) => `inner text ${i}`) })
      return 'of the getter'
    }
  })
  const given = /** @type {string[]} */ (through(value))
  t.deepEqual(
    given,
    Array.from({ length: 40 }, (_, i) => (i === 20 ? 'of the getter' : `outer text ${i}`))
  )
  t.is(inner.list[39], 'inner text 39')
})

test('bytes that nobody has encoded throw, or are a value, and end', (t) => {
  const next = generator(7)
  const tags = Object.keys(TAGS).length
  for (let round = 0; round < 20_000; round++) {
    const frame = new Frame(new ArrayBuffer(8 + next(64)))
    for (let i = 0; i < frame.bytes.length; i++) frame.bytes[i] = next(4) === 0 ? next(256) : next(tags)
    try {
      decode(frame, 0)
    } catch (error) {
      assert.ok(error instanceof Error, `round ${round}`)
    }
  }
  t.pass()
})
