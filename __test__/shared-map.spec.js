'use strict'

const { Worker } = require('node:worker_threads')
const { once } = require('node:events')
const test = require('ava')
const { SharedMap, errors } = require('..')

const make = (options) => new SharedMap({ bytes: '1MB', ...options })
/** Resolves when a key is not there any more. */
async function ended(map, key) {
  for (let version = map.version(key); version !== 0; version = map.version(key)) await map.wait(key, { version })
}

const invalid = { code: 'ERR_RSPOOL_INVALID_ARGUMENT', instanceOf: TypeError }

test('values of every kind come back as they were', (t) => {
  const map = make()
  const values = [
    '',
    'text',
    'ż and 🙂',
    'é'.repeat(300),
    'half \ud800 of one',
    'x'.repeat(20_000),
    0,
    -0,
    1.5,
    -7,
    2 ** 53,
    2 ** 60,
    -(2 ** 31),
    NaN,
    Infinity,
    true,
    false,
    null,
    0n,
    -5n,
    2n ** 53n + 1n,
    -(2n ** 63n),
    2n ** 200n,
    new Uint8Array([1, 2, 3]),
    new Float64Array([1.5, -2]),
    new Uint8Array(0),
    new Uint8Array(60_000).fill(7),
    new ArrayBuffer(5),
    {},
    [],
    { a: 1, b: 'text', c: [1, null, { d: true }] },
    Array.from({ length: 300 }, (_, id) => ({ id, name: `row ${id}`, ratio: id / 3 })),
    [0.5, ...Array(30).fill(1)],
    new Map([['one', { two: 2 }]]),
    new Set([1, 'two']),
    new Date(5),
    /a+/gi,
    { bytes: new Uint8Array([9]), when: new Date(1) }
  ]
  for (const [n, value] of values.entries()) {
    const key = `key ${n}`
    t.true(map.set(key, value))
    for (let again = 0; again < 3; again++) t.deepEqual(map.get(key), value)
    t.true(map.has(key))
  }
  t.deepEqual(map.get('key 7'), -0)
  t.is(map.stats().entries, values.length)
  t.deepEqual([...map.keys()].sort(), values.map((_, n) => `key ${n}`).sort())
  t.deepEqual([...map.keys({ prefix: 'key 1' })].length, 11)
  map.clear()
  t.is(map.stats().entries, 0)
})

test('a Buffer comes back as its bytes', (t) => {
  const map = make()
  map.set('small', Buffer.from('abc'))
  t.deepEqual(map.get('small'), Uint8Array.from(Buffer.from('abc')))
  const slab = Buffer.from('abcdef').subarray(1, 3)
  map.set('part', slab)
  t.deepEqual(map.get('part'), Uint8Array.from(slab))
})

test('plain data is frozen, and the same object as long as the entry is the same', (t) => {
  const map = make()
  map.set('user', { name: 'one', roles: ['a'] })
  const user = map.get('user')
  t.is(map.get('user'), user)
  t.true(Object.isFrozen(user) && Object.isFrozen(user.roles))
  map.set('user', { name: 'two', roles: [] })
  t.is(map.get('user').name, 'two')
  map.set('other', { at: new Date(3) })
  t.not(map.get('other'), map.get('other'))
  map.delete('user')
  t.is(map.get('user'), undefined)
  map.set('user', 5)
  t.is(map.get('user'), 5)
})

test('a text that is read again is the one that is there now', (t) => {
  const map = make()
  for (let n = 0; n < 300; n++) {
    const text = `${n} `.repeat(20)
    map.set('text', text)
    for (let again = 0; again < 5; again++) t.is(map.get('text'), text)
    if (n % 3 === 0) t.true(map.delete('text'))
    if (n % 3 === 0) t.is(map.get('text'), undefined)
  }
})

test('set, add and delete tell whether they did something', (t) => {
  const map = make()
  t.true(map.add('key', 1))
  t.false(map.add('key', 2))
  t.is(map.get('key'), 1)
  t.true(map.set('key', 3))
  t.true(map.delete('key'))
  t.false(map.delete('key'))
  t.false(map.has('key'))
  t.is(map.get('key'), undefined)
})

test('increment counts whole numbers exactly, and others as numbers', (t) => {
  const map = make()
  t.is(map.increment('hits'), 1)
  t.is(map.increment('hits', 4), 5)
  t.is(map.increment('from', 1, { initial: 10 }), 11)
  t.is(map.increment('hits', -2n), 3n)
  t.is(map.increment('half', 0.5), 0.5)
  t.is(map.increment('half', 0.5), 1)
  map.set('large', Number.MAX_SAFE_INTEGER)
  t.is(map.increment('large', 10n), 2n ** 53n + 9n)
  t.is(map.get('large'), 2n ** 53n + 9n)
  map.set('largest', 2n ** 63n - 1n)
  t.throws(() => map.increment('largest'), invalid)
  t.is(map.get('largest'), 2n ** 63n - 1n)
  map.set('text', 'five')
  t.throws(() => map.increment('text'), invalid)
  t.is(map.get('text'), 'five')
  t.throws(() => map.increment('hits', 'one'), invalid)
})

test('compareAndSet compares the values', (t) => {
  const map = make()
  t.true(map.compareAndSet('key', undefined, { a: 1 }))
  t.false(map.compareAndSet('key', undefined, 2))
  t.false(map.compareAndSet('key', { a: 2 }, 2))
  t.true(map.compareAndSet('key', { a: 1 }, 'two'))
  t.true(map.compareAndSet('key', 'two', 3))
  t.false(map.compareAndSet('key', '3', 4))
  t.true(map.compareAndSet('key', 3, 'x'.repeat(5000)))
  t.true(map.compareAndSet('key', 'x'.repeat(5000), new Uint8Array([1])))
  t.true(map.compareAndSet('key', new Uint8Array([1]), null))
  t.is(map.get('key'), null)
})

test('a getter in a value may use the map that the value goes to', (t) => {
  const map = make()
  const nosy = (to) => ({
    get inner() {
      map.set('inner', { deep: to })
      map.compareAndSet('inner', { deep: to }, { deeper: to })
      return to
    }
  })
  t.true(map.set('outer', nosy(1)))
  t.true(map.compareAndSet('outer', nosy(1), nosy(2)))
  t.deepEqual(map.get('outer'), { inner: 2 })
  t.deepEqual(map.get('inner'), { deeper: 1 })
})

test('update runs its function again when the value has changed meanwhile', (t) => {
  const map = make()
  t.is(
    map.update('key', (value) => value ?? 'first'),
    'first'
  )
  const seen = []
  const given = map.update('key', (value) => {
    seen.push(value)
    if (seen.length === 1) map.set('key', 'changed')
    return `${value} twice`
  })
  t.deepEqual([seen, given, map.get('key')], [['first', 'changed'], 'changed twice', 'changed twice'])
  t.is(
    map.update('key', () => undefined),
    'changed twice'
  )
  const error = new Error('no')
  t.is(
    t.throws(() =>
      map.update('key', () => {
        throw error
      })
    ),
    error
  )
})

test('entries end when their time is over', async (t) => {
  const map = make({ ttl: 60_000 })
  map.set('default', { a: 1 })
  map.set('short', { a: 1 }, { ttl: 40 })
  map.set('ever', 1, { ttl: Infinity })
  t.true(map.ttl('default') > 50_000 && map.ttl('default') <= 60_000)
  t.is(map.ttl('ever'), Infinity)
  t.is(map.ttl('nothing'), undefined)
  // On a slow machine its time may be over already.
  t.true([1, undefined].includes(map.get('short')?.a))
  await ended(map, 'short')
  t.is(map.get('short'), undefined)
  t.false(map.has('short'))
  t.true(map.add('short', 2))
  t.true(map.expire('ever', 600_000))
  t.true(map.ttl('ever') <= 600_000)
  t.is(map.get('ever'), 1)
  t.false(map.expire('nothing', 1000))
  map.increment('count', 1, { ttl: 600_000 })
  map.increment('count', 1, { ttl: 6_000_000 })
  t.true(map.ttl('count') <= 600_000)
})

test('what cannot be a key or a value is refused', (t) => {
  const map = make()
  for (const key of [5, undefined, null, {}, 'x'.repeat(251), 'ż'.repeat(126), '\ud800']) {
    t.throws(() => map.set(key, 1), invalid)
    t.throws(() => map.increment(key), invalid)
    if (key === '\ud800') continue
    for (const method of ['get', 'has', 'delete', 'ttl', 'version']) t.throws(() => map[method](key), invalid)
  }
  t.true(map.set('x'.repeat(250), 1))
  t.true(map.set('', 1))
  t.is(map.get(''), 1)
  for (const value of [undefined, () => {}, Symbol('s'), new Proxy({}, {}), new SharedArrayBuffer(8), { f() {} }]) {
    t.throws(() => map.set('key', value), invalid)
  }
  t.throws(() => map.set('key', 'x'.repeat(70_000)), { ...invalid, message: /maxValueBytes/ })
  t.true(make({ maxValueBytes: 100_000 }).set('key', 'x'.repeat(70_000)))
  t.throws(() => map.set('key', 1, { tll: 5 }), { ...invalid, message: /Did you mean 'ttl'/ })
  t.throws(() => map.set('key', 1, { ttl: 0 }), invalid)
  for (const options of [undefined, {}, { bytes: '64XB' }, { bytes: 5 }, { bytes: '1MB', ttl: -1 }]) {
    t.throws(() => new SharedMap(options), invalid)
  }
  t.throws(() => SharedMap.from({ type: 'rspool.map', map: 12 }), invalid)
  t.true(t.throws(() => map.get(5)) instanceof errors.InvalidArgumentError)
})

test('a map that evicts nothing says that it is full, and goes on counting what is there', (t) => {
  const map = make({ bytes: 65_536, evict: false })
  let n = 0
  const error = t.throws(
    () => {
      for (;;) map.set(`key ${n++}`, n)
    },
    { code: 'ERR_RSPOOL_MAP_FULL' }
  )
  t.true(error instanceof errors.RspoolError)
  t.true(n > 350)
  for (let at = 0; at < n - 1; at++) t.is(map.increment(`key ${at}`), at + 2)
  map.delete('key 0')
  t.true(map.set('other', 1))
})

test('a map that evicts always has room, and keeps what is read', (t) => {
  const map = make({ bytes: 65_536 })
  map.set('often', { read: true })
  for (let n = 0; n < 20_000; n++) {
    map.set(`once ${n}`, 'x'.repeat(n % 1000))
    t.deepEqual(map.get('often'), { read: true })
  }
  t.true(map.stats().evicted > 10_000)
})

test('wait tells of a change, of an abort and of a timeout', async (t) => {
  const map = make()
  map.set('key', 1)
  const version = map.version('key')
  const changed = map.wait('key', { version })
  map.set('key', 2)
  t.is(await changed, 2)
  t.is(await map.wait('key', { version }), 2)
  t.is(map.version('nothing'), 0)
  const controller = new AbortController()
  const waiting = map.wait('key', { signal: controller.signal })
  controller.abort(new Error('enough'))
  t.is((await t.throwsAsync(waiting, { code: 'ABORT_ERR' })).cause.message, 'enough')
  await t.throwsAsync(map.wait('key', { signal: controller.signal }), { code: 'ABORT_ERR' })
  await t.throwsAsync(map.wait('key', { timeout: 5 }), { code: 'ERR_RSPOOL_WAIT_TIMEOUT' })
})

test('getOrCompute computes once for all who ask', async (t) => {
  const map = make()
  let computed = 0
  const compute = async (key) => {
    computed++
    await null
    return { key }
  }
  const values = await Promise.all(Array.from({ length: 20 }, () => map.getOrCompute('key', compute)))
  t.true(values.every((value) => value.key === 'key'))
  t.deepEqual(await map.getOrCompute('key', compute), { key: 'key' })
  t.is(computed, 1)
  const error = new Error('no')
  const failing = async () => {
    throw error
  }
  t.is(await t.throwsAsync(map.getOrCompute('other', failing)), error)
  t.is(await map.getOrCompute('other', () => 5), 5)
  t.is(await map.getOrCompute('nothing', () => undefined), undefined)
  t.false(map.has('nothing'))
})

test('getOrCompute gives what is stale at once, and computes it anew beside', async (t) => {
  const map = make()
  t.is(await map.getOrCompute('key', () => 'old', { ttl: 20, stale: 60_000 }), 'old')
  await ended(map, 'key')
  t.is(map.get('key'), undefined)
  let go
  const version = map.version('key')
  const given = await map.getOrCompute('key', () => new Promise((resolve) => (go = resolve)), { ttl: 60_000 })
  t.is(given, 'old')
  t.is(await map.getOrCompute('key', () => t.fail(), { ttl: 60_000 }), 'old')
  go('new')
  t.is(await map.wait('key', { version }), 'new')
})

test('a thread has the map that was shared with it', async (t) => {
  const map = make()
  map.set('hello', { to: 'thread' })
  const worker = new Worker(
    `const { workerData, parentPort } = require('node:worker_threads')
     const { SharedMap } = require(workerData.rspool)
     const map = SharedMap.from(workerData.map)
     for (let n = 0; n < 10_000; n++) map.increment('count')
     map.set('answer', map.get('hello').to)
     map.getOrCompute('slow', () => new Promise(() => setInterval(() => {}, 1000)))
     parentPort.postMessage('computing')`,
    { eval: true, workerData: { rspool: require.resolve('..'), map: map.share() } }
  )
  const computing = once(worker, 'message')
  const answer = map.wait('answer', { version: 0 })
  for (let n = 0; n < 10_000; n++) map.increment('count')
  t.is(await answer, 'thread')
  await computing
  // It ends while it computes: another does so at once.
  const slow = map.getOrCompute('slow', () => 'here')
  await worker.terminate()
  t.is(await slow, 'here')
  t.is(map.get('count'), 20_000)
})
