'use strict'

// The encoding of values that cross machines: exact, or refused; and whatever comes in, it throws or gives a value.

const test = require('ava')
const fc = require('fast-check')
const { encode, decode, pack, unpack } = require('../lib/fleet/encoding')
const { open, seal } = require('../lib/fleet/envelope')

const there = (/** @type {unknown} */ value) => decode(unpack(pack(encode(value))))

const data = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.double(),
    fc.integer(),
    fc.string({ unit: 'binary' }),
    fc.bigInt(),
    fc.boolean(),
    fc.constantFrom(null, undefined, -0),
    fc.date(),
    fc.uint8Array(),
    fc.float64Array(),
    fc.array(tie('value')),
    fc.sparseArray(tie('value')),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$', '__proto__', 'constructor', '0')), tie('value')),
    fc.array(fc.tuple(tie('value'), tie('value'))).map((pairs) => new Map(pairs)),
    fc.array(tie('value')).map((values) => new Set(values))
  )
})).value

test('any plain value arrives as structuredClone gives it', (t) => {
  fc.assert(
    fc.property(data, (value) => t.deepEqual(there(value), structuredClone(value)) !== undefined || true),
    {
      numRuns: 300
    }
  )
})

test('what is shared and what is in a circle stays so', (t) => {
  const buffer = new ArrayBuffer(16)
  const inner = { views: [new Uint8Array(buffer, 4, 4), new Float64Array(buffer, 8), buffer] }
  const value = { inner, again: inner, map: new Map(), boxed: Object(5), error: new TypeError('x', { cause: inner }) }
  value.map.set(value, value.map)
  const got = /** @type {any} */ (there(value))
  t.is(got.inner, got.again)
  t.is(got.inner.views[0].buffer, got.inner.views[2])
  t.is(got.inner.views[1].byteOffset, 8)
  t.is(got.map.get(got), got.map)
  t.is(got.error.cause, got.inner)
  t.true(got.error instanceof TypeError)
  t.is(typeof got.boxed, 'object')
})

test('a small Buffer takes its own bytes along, and not those of its neighbours', (t) => {
  const secret = Buffer.from('a secret that shares the slab')
  const { text, parts } = encode({ mine: Buffer.from('mine') })
  t.false(Buffer.concat(parts).includes(secret))
  t.is(parts.length, 1)
  t.is(parts[0].byteLength, 4)
  t.deepEqual(decode({ text, parts }), { mine: new Uint8Array(Buffer.from('mine')) })
})

test('what another machine cannot have is refused', (t) => {
  class Own {
    field = 1
  }
  t.deepEqual(there(new Own()), { field: 1 })
  const { port1 } = new MessageChannel()
  const refused = [
    () => 1,
    Symbol('s'),
    new SharedArrayBuffer(1),
    new Proxy({}, {}),
    port1,
    new WeakMap(),
    Promise.resolve(),
    new Blob([])
  ]
  for (const value of refused) {
    const error = /** @type {any} */ (t.throws(() => encode({ deep: [value] }), { any: true }))
    t.is(error.name, 'DataCloneError')
  }
  port1.close()
  let deep = /** @type {unknown} */ (0)
  for (let i = 0; i < 2000; i++) deep = [deep]
  t.throws(() => encode(deep), { any: true })
})

test('bytes that were changed or cut off give a value or a clear error, and nothing else', (t) => {
  const good = pack(encode({ list: [1, 'two', new Date(3)], bytes: new Uint16Array(5), map: new Map([[1, /x/g]]) }))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      fc.nat(good.length),
      (changes, length) => {
        const bytes = Buffer.from(good)
        for (const [at, value] of changes) bytes[at] = value
        try {
          decode(unpack(bytes.subarray(0, length)))
        } catch (error) {
          t.is(/** @type {any} */ (error).code, 'ERR_RSPOOL_BAD_ENVELOPE')
        }
      }
    ),
    { numRuns: 2000 }
  )
  t.pass()
})

test('JSON of any shape, with tags in it, gives a value or a clear error', (t) => {
  const kinds = [
    'undefined',
    'number',
    'bigint',
    'ref',
    'plain',
    'date',
    'regexp',
    'boxed',
    'map',
    'set',
    'array',
    'error',
    'bytes',
    'view',
    'toString'
  ]
  const shape = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom('Uint8Array', 'constructor', '12', '__proto__', 'Error'),
      fc
        .tuple(fc.constantFrom(...kinds), fc.array(tie('node'), { maxLength: 5 }))
        .map(([kind, parts]) => ({ $: [kind, ...parts] })),
      fc.array(tie('node'), { maxLength: 3 })
    )
  })).node
  fc.assert(
    fc.property(shape, (node) => {
      try {
        decode({ text: JSON.stringify(node), parts: [new Uint8Array(9)] })
      } catch (error) {
        t.is(/** @type {any} */ (error).code, 'ERR_RSPOOL_BAD_ENVELOPE')
      }
    }),
    { numRuns: 2000 }
  )
  t.is(/** @type {any} */ ({}).polluted, undefined)
  t.pass()
})

test('an envelope that is not signed, or was changed, is refused', (t) => {
  const contents = { task: 'resize', input: { text: '1' }, retries: 0, options: { timeout: 5 } }
  const envelope = seal(contents, 'secret')
  t.like(open(structuredClone(envelope), 'secret'), contents)
  const changes = [
    { task: 'other' },
    { input: { text: '2' } },
    { retries: 9 },
    { options: { timeout: 6 } },
    { mac: undefined },
    { reply: 'me' }
  ]
  for (const change of changes)
    t.throws(() => open({ ...envelope, ...change }, 'secret'), { code: 'ERR_RSPOOL_BAD_ENVELOPE' })
  t.throws(() => open(seal(contents, undefined), 'secret'), { code: 'ERR_RSPOOL_BAD_ENVELOPE' })
})
