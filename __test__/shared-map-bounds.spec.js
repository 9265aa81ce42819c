'use strict'

// What is at the edge of what a shared map takes, and what users do to it while it is in use.

const { Worker } = require('node:worker_threads')
const { once } = require('node:events')
const test = require('ava')
const { SharedMap } = require('..')

const make = (options) => new SharedMap({ bytes: '1MB', ...options })
const invalid = { code: 'ERR_RSPOOL_INVALID_ARGUMENT', instanceOf: TypeError }

test('every string of up to 250 bytes is a key of its own', (t) => {
  const map = make()
  const keys = [
    '',
    '\0',
    '\0\0',
    ' ',
    'x'.repeat(249),
    'x'.repeat(250),
    'ż'.repeat(125),
    `${'🙂'.repeat(62)}ab`,
    '\ufffd',
    '\ufffd\ufffd',
    '\ufeff',
    '__proto__',
    'constructor',
    'toString',
    'é',
    'e\u0301'
  ]
  for (const [n, key] of keys.entries()) t.true(map.set(key, n))
  for (const [n, key] of keys.entries()) {
    t.is(map.get(key), n)
    t.true(map.has(key))
  }
  t.deepEqual([...map.keys()].sort(), [...keys].sort())
  for (const key of keys) {
    t.deepEqual([...map.keys({ prefix: key })].sort(), keys.filter((other) => other.startsWith(key)).sort())
    t.true(map.delete(key))
  }
  t.is(map.stats().entries, 0)
})

test('what has more bytes than a key, or half a character, is none', async (t) => {
  const map = make()
  const keys = ['x'.repeat(251), 'ż'.repeat(126), '🙂'.repeat(63), 'x'.repeat(1e6)]
  const halves = ['\ud800', 'a\udc00b', `${'x'.repeat(100)}\ud83d`]
  for (const key of [...keys, ...halves]) {
    t.throws(() => map.set(key, 1), invalid)
    t.throws(() => map.add(key, 1), invalid)
    t.throws(() => map.increment(key), invalid)
    t.throws(() => map.compareAndSet(key, undefined, 1), invalid)
    t.throws(() => map.update(key, () => 1), invalid)
    t.is([...map.keys({ prefix: key })].length, 0)
  }
  for (const key of keys) {
    for (const method of ['get', 'has', 'delete', 'ttl', 'version']) t.throws(() => map[method](key), invalid)
    t.throws(() => map.expire(key, 5), invalid)
  }
  for (const key of [...keys, ...halves]) {
    await t.throwsAsync(
      map.getOrCompute(key, () => 1),
      invalid
    )
    await t.throwsAsync(map.wait(key), invalid)
  }
  t.is(map.stats().entries, 0)
})

test('an error of getOrCompute names the key of its own call', async (t) => {
  const map = make({ bytes: 2 ** 14, evict: false })
  t.is(await map.getOrCompute('first', () => 1), 1)
  t.throws(
    () => {
      for (let n = 0; ; n++) map.set(`key ${n}`, n)
    },
    { code: 'ERR_RSPOOL_MAP_FULL' }
  )
  await t.throwsAsync(
    map.getOrCompute('second', () => 2),
    { code: 'ERR_RSPOOL_MAP_FULL', message: /second/ }
  )
})

test('a value may have exactly as many bytes as the map allows', (t) => {
  for (const bytes of [1, 7, 8, 1000, 4096]) {
    const map = new SharedMap({ bytes: 2 ** 14, maxValueBytes: bytes })
    for (const value of ['x'.repeat(bytes), new Uint8Array(bytes).fill(3)]) {
      t.true(map.set('x'.repeat(250), value))
      t.deepEqual(map.get('x'.repeat(250)), value)
    }
    for (const value of ['x'.repeat(bytes + 1), new Uint8Array(bytes + 1)]) {
      t.throws(() => map.set('key', value), { ...invalid, message: /maxValueBytes/ })
    }
    t.false(map.has('key'))
  }
  t.throws(() => new SharedMap({ bytes: 2 ** 14, maxValueBytes: 4097 }), invalid)
  t.throws(() => new SharedMap({ bytes: 2 ** 14, maxValueBytes: 0 }), invalid)
  t.throws(() => new SharedMap({ bytes: 2 ** 14 - 1 }), invalid)
})

test('the smallest map holds what it can, and goes on', (t) => {
  for (const evict of [true, false]) {
    const map = new SharedMap({ bytes: '16KB', evict })
    let full = 0
    for (let n = 0; n < 1000; n++) {
      const key = `key ${n}`
      try {
        map.set(key, 'x'.repeat(n % 1024))
        t.is(map.get(key), 'x'.repeat(n % 1024))
      } catch (error) {
        if (error.code !== 'ERR_RSPOOL_MAP_FULL') throw error
        full++
        map.clear()
      }
    }
    t.is(full > 0, !evict)
  }
})

test('whole numbers are counted exactly up to 64 bits, however they came', (t) => {
  const map = make()
  map.set('number', 2 ** 60)
  t.is(map.increment('number', 1n), 2n ** 60n + 1n)
  t.is(map.get('number'), 2n ** 60n + 1n)
  map.increment('number', 2 ** 60)
  t.is(map.get('number'), 2n ** 61n + 1n)
  map.increment('number', -0)
  t.is(map.get('number'), 2n ** 61n + 1n)
  map.set('edge', 2 ** 53 - 1)
  t.is(map.increment('edge'), 2 ** 53)
  t.is(map.increment('edge', 1n), 2n ** 53n + 1n)
  t.is(map.increment('edge', -2n), 2n ** 53n - 1n)
  t.is(map.get('edge'), 2 ** 53 - 1)
  map.set('least', -(2n ** 63n))
  t.throws(() => map.increment('least', -1), invalid)
  t.is(map.increment('least', 1n), 1n - 2n ** 63n)
  map.set('most', 2n ** 63n - 1n)
  t.throws(() => map.increment('most', 1n), invalid)
  t.is(map.get('most'), 2n ** 63n - 1n)
  t.throws(() => map.increment('new', 2n ** 63n - 1n, { initial: 1n }), invalid)
  t.false(map.has('new'))
  // What is no whole number of 64 bits is added as numbers are.
  map.set('huge', 1e300)
  t.is(map.increment('huge', 1e300), 2e300)
  map.set('large', 2 ** 62)
  t.is(map.increment('large', 2 ** 63), 2 ** 62 + 2 ** 63)
  map.set('nan', NaN)
  t.is(map.increment('nan'), NaN)
  t.throws(() => map.increment('half', 1n, { initial: 0.5 }), invalid)
  t.false(map.has('half'))
  for (const n of [NaN, Infinity, 2n ** 63n, '1', null, {}]) t.throws(() => map.increment('n', n), invalid)
  for (const initial of [NaN, -Infinity, 2n ** 64n, '1']) t.throws(() => map.increment('n', 1, { initial }), invalid)
  for (const value of [true, null, 'one', 2n ** 70n, 5n, [1]]) {
    map.set('none', value)
    t.throws(() => map.increment('none'), invalid)
    t.deepEqual(map.get('none'), value)
  }
})

test('times are positive, and one that is too long to count is for ever', async (t) => {
  const map = make()
  for (const ttl of [0, -1, NaN, -Infinity, '5', 5n, null]) {
    t.throws(() => map.set('key', 1, { ttl }), invalid)
    t.throws(() => map.add('key', 1, { ttl }), invalid)
    t.throws(() => map.increment('key', 1, { ttl }), invalid)
    t.throws(() => map.expire('key', ttl), invalid)
    t.throws(() => make({ ttl }), invalid)
  }
  for (const ttl of [2 ** 31, 2 ** 32, 2 ** 53, 1e17, 1e20, 1e24, 1e300, Number.MAX_VALUE, Infinity]) {
    map.set('key', { a: 1 }, { ttl })
    t.deepEqual([map.get('key'), map.get('key')], [{ a: 1 }, { a: 1 }])
    t.true(map.ttl('key') >= Math.min(ttl, 1e12) * 0.99)
    t.true(map.expire('key', ttl))
    t.true(map.has('key'))
    const other = make({ ttl })
    other.set('key', 1)
    t.is(other.get('key'), 1)
    t.is(await other.getOrCompute('computed', () => 'value', { ttl, stale: ttl }), 'value')
    t.is(other.get('computed'), 'value')
  }
  map.set('short', 1, { ttl: 1e-9 })
  t.is(await map.wait('short', { version: 1 }), undefined)
})

test('an entry that is past its time is not there for anything', async (t) => {
  const map = make()
  const over = async (key) => {
    map.set(key, 'old', { ttl: 1 })
    while (map.has(key)) await new Promise(setImmediate)
  }
  await over('key')
  t.is(map.get('key'), undefined)
  t.is(map.ttl('key'), undefined)
  t.is(map.version('key'), 0)
  t.false(map.expire('key', 1000))
  t.false(map.delete('key'))
  t.deepEqual([...map.keys()], [])
  t.false(map.compareAndSet('key', 'old', 'new'))
  await over('key')
  t.is(map.increment('key'), 1)
  await over('key')
  map.update('key', (value) => [value === undefined])
  t.deepEqual(map.get('key'), [true])
  await over('key')
  t.true(map.compareAndSet('key', undefined, 'new'))
  await over('key')
  t.true(map.add('key', 'newer'))
})

test('an update whose function changes the key itself, each time, ends with an error', (t) => {
  const map = make()
  let calls = 0
  const refused = { code: 'ERR_RSPOOL_MAP_BUSY', message: /'key'/ }
  const selfish = () => {
    map.set('key', ++calls)
    return 'never'
  }
  t.throws(() => map.update('key', selfish), refused)
  t.is(map.get('key'), calls)
  t.is(
    map.update('key', (value) => value + 1),
    calls + 1
  )
})

test('update and getOrCompute for a key by the function of this very key are refused at once', async (t) => {
  const map = make()
  const refused = { code: 'ERR_RSPOOL_MAP_RECURSION', message: /'key'/ }
  map.set('key', 1)
  t.throws(() => map.update('key', () => map.update('key', () => 2)), refused)
  t.is(map.get('key'), 1)
  t.is(
    map.update('key', () => map.update('other', () => 3)),
    3
  )
  map.delete('key')
  const twin = SharedMap.from(map.share())
  for (const same of [map, twin]) {
    await t.throwsAsync(
      map.getOrCompute('key', () => same.getOrCompute('key', () => 1)),
      refused
    )
    const after = async () => {
      await new Promise(setImmediate)
      return same.getOrCompute('between', () => same.getOrCompute('key', () => 1))
    }
    await t.throwsAsync(map.getOrCompute('key', after), refused)
  }
  // Two that wait for each other, each begun by itself.
  const turn = () => new Promise(setImmediate)
  const both = [
    map.getOrCompute('one', () => turn().then(() => map.getOrCompute('two', () => t.fail()))),
    map.getOrCompute('two', () => turn().then(() => map.getOrCompute('one', () => t.fail())))
  ]
  for (const each of await Promise.allSettled(both)) t.is(each.reason?.code, 'ERR_RSPOOL_MAP_RECURSION')
  // Others wait as ever, for this key as for those that its function asks for.
  let go
  const computed = map.getOrCompute('key', () => map.getOrCompute('between', () => new Promise((done) => (go = done))))
  const others = [map.getOrCompute('key', () => t.fail()), map.getOrCompute('between', () => t.fail())]
  while (go === undefined) await new Promise(setImmediate)
  go('value')
  t.deepEqual(await Promise.all([computed, ...others]), ['value', 'value', 'value'])
  // What a function has begun may ask when that has ended.
  let late
  await map.getOrCompute('done', () => {
    late = new Promise(setImmediate).then(() => map.delete('done') && map.getOrCompute('done', () => 'again'))
    return 'once'
  })
  t.is(await late, 'again')
})

test('an object that is kept ends when its entry does, soon or late', async (t) => {
  const map = make()
  const ends = new Map()
  for (const [key, ttl] of Object.entries({ soon: 50, 'after the margin of the coarse clock': 2400 })) {
    map.set(key, { key }, { ttl })
    ends.set(key, performance.now() + ttl + 1)
    t.is(map.get(key), map.get(key))
  }
  while (ends.size > 0) {
    for (const [key, end] of ends) {
      const asked = performance.now()
      if (map.get(key) === undefined) ends.delete(key)
      else if (asked > end) return t.fail(`'${key}' is there ${asked - end} ms after its end`)
    }
    await new Promise(setImmediate)
  }
  t.pass()
})

test('update changes nothing when its function throws, and sees what the function has done to the map', (t) => {
  const map = make()
  map.set('key', 1)
  const version = map.version('key')
  t.throws(
    () =>
      map.update('key', () => {
        map.set('other', 1)
        throw new Error('no')
      }),
    { message: 'no' }
  )
  t.is(map.version('key'), version)
  t.is(map.get('other'), 1)
  t.throws(() => map.update('key', () => () => {}), invalid)
  t.is(map.get('key'), 1)
  let turns = 0
  map.update('key', (value) => {
    if (++turns === 1) map.delete('key')
    if (turns === 2) map.set('key', 5)
    return [turns, value]
  })
  t.deepEqual(map.get('key'), [3, 5])
  map.update('key', (value) => {
    if (turns++ === 3) map.clear()
    return value
  })
  t.false(map.has('key'))
  t.throws(() => map.update('key'), invalid)
  map.set('timed', 1, { ttl: 60_000 })
  map.update('timed', (value) => value + 1)
  t.true(map.ttl('timed') <= 60_000)
})

test('getOrCompute leaves nothing behind when it fails, and the next one computes', async (t) => {
  const map = make({ maxValueBytes: 100 })
  const failures = [
    () => {
      throw new Error('at once')
    },
    async () => {
      await null
      throw new Error('later')
    },
    () => Promise.reject(new Error('rejected')),
    () => () => {},
    () => 'x'.repeat(101),
    () => new Proxy({}, {})
  ]
  for (const failure of failures) {
    const both = await Promise.allSettled([map.getOrCompute('key', failure), map.getOrCompute('key', failure)])
    t.true(both.every(({ status, reason }) => status === 'rejected' && reason instanceof Error))
    t.false(map.has('key'))
  }
  t.is(await map.getOrCompute('key', () => 'done'), 'done')
  // One may compute another, which may compute a third.
  const sum = (n) => map.getOrCompute(`sum ${n}`, async () => (n === 0 ? 0 : n + (await sum(n - 1))))
  t.deepEqual(await Promise.all([sum(20), sum(10), sum(20)]), [210, 55, 210])
  // What the function puts itself is what is there, until it gives its own.
  t.is(
    await map.getOrCompute('own', () => {
      map.set('own', 'from inside')
      return 'given'
    }),
    'given'
  )
  t.is(map.get('own'), 'given')
  await t.throwsAsync(map.getOrCompute('key'), invalid)
})

test('a thread that reads more than it keeps gets what is there now', (t) => {
  const map = make({ bytes: '16MB' })
  const keys = Array.from({ length: 12_000 }, (_, n) => `key ${n}`)
  for (const [n, key] of keys.entries()) map.set(key, n % 2 === 0 ? { n } : `the text of ${n}, which is kept`)
  const read = (n) => map.get(keys[n])?.n ?? Number(/\d+/.exec(map.get(keys[n])))
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < keys.length; n++) if (read(n) !== n) t.fail(`${n}: ${read(n)}`)
    // Some are read all the time, and some change meanwhile.
    for (let n = 0; n < 500; n++) t.is(map.get(keys[2 * n]), map.get(keys[2 * n]))
    for (let n = 0; n < 100; n++) {
      map.set(keys[n], { n: n + 1 })
      t.deepEqual(map.get(keys[n]), { n: n + 1 })
      map.set(keys[n], { n })
    }
  }
})

test('keys gives those that stay, once each, while others come and go', (t) => {
  const map = make()
  const stay = Array.from({ length: 300 }, (_, n) => `stays ${n}`)
  for (const key of stay) map.set(key, 1)
  let n = 0
  const seen = []
  for (const key of map.keys()) {
    if (key.startsWith('stays')) seen.push(key)
    map.set(`new ${n++ % 500}`, 'x'.repeat(n % 300))
    map.delete(`new ${(n * 7) % 500}`)
    map.set(stay[n % stay.length], n)
  }
  t.deepEqual(seen.sort(), [...stay].sort())
})

test('a thousand who wait hear of their changes, each of its own', async (t) => {
  const map = make()
  const keys = Array.from({ length: 100 }, (_, n) => `key ${n}`)
  const waiting = Array.from({ length: 1000 }, (_, n) => map.wait(keys[n % 100], { version: 0 }))
  const controller = new AbortController()
  const others = Array.from({ length: 8 }, () => map.wait('never', { signal: controller.signal }))
  for (const [n, key] of keys.entries()) map.set(key, n)
  const values = await Promise.all(waiting)
  t.true(values.every((value, n) => value === n % 100))
  controller.abort()
  const ended = await Promise.allSettled(others)
  t.true(ended.every(({ reason }) => reason?.code === 'ABORT_ERR'))
})

test('a map is cleared under load without a value that is not whole', async (t) => {
  const map = make({ bytes: '128KB' })
  const workers = Array.from({ length: 2 }, (_, seed) => {
    const worker = new Worker(
      `const { workerData, parentPort } = require('node:worker_threads')
       const { SharedMap } = require(workerData.rspool)
       const map = SharedMap.from(workerData.map)
       for (let n = 0; n < 20_000; n++) {
         const key = 'key ' + ((n * 31 + workerData.seed) % 200)
         const value = map.get(key)
         if (value !== undefined && value !== key.repeat(value.length / key.length)) throw new Error('torn: ' + value)
         try {
           if (n % 3 === 0) map.set(key, key.repeat(n % 60))
         } catch (error) {
           // The other thread has lost its CPU.
           if (error.code !== 'ERR_RSPOOL_MAP_BUSY') throw error
         }
         if (n % 100 === 0) map.clear()
       }
       parentPort.postMessage('done')`,
      { eval: true, workerData: { rspool: require.resolve('..'), map: map.share(), seed } }
    )
    return once(worker, 'message')
  })
  await Promise.all(workers)
  map.clear()
  t.like(map.stats(), { entries: 0, usedBytes: 0 })
})

test('threads that are ended in the middle of their work leave the map as it is', async (t) => {
  const map = make({ bytes: '64KB', evict: false })
  for (let round = 0; round < 5; round++) {
    const worker = new Worker(
      `const { workerData, parentPort } = require('node:worker_threads')
       const { SharedMap } = require(workerData.rspool)
       const map = SharedMap.from(workerData.map)
       map.wait('never', { version: 0 })
       map.getOrCompute('computing', () => new Promise(() => {}))
       parentPort.postMessage('works')
       for (let n = 0; ; n++) {
         map.set('key ' + (n % 50), 'x'.repeat(n % 500))
         map.increment('count')
         map.delete('key ' + ((n + 25) % 50))
       }`,
      { eval: true, workerData: { rspool: require.resolve('..'), map: map.share() } }
    )
    await once(worker, 'message')
    const counted = map.get('count')
    while (map.get('count') === counted) await new Promise(setImmediate)
    await worker.terminate()
    t.is(await map.getOrCompute('computing', () => `round ${round}`), `round ${round}`)
    map.delete('computing')
  }
  map.clear()
  t.is(map.stats().usedBytes, 0)
  for (let n = 0; n < 300; n++) t.true(map.set(`new ${n}`, n))
})

test('a program that turns the date changes no time of a map', (t) => {
  const { Date: original } = globalThis
  const map = make()
  map.set('key', { a: 1 }, { ttl: 3_600_000 })
  t.deepEqual(map.get('key'), { a: 1 })
  t.teardown(() => {
    globalThis.Date = original
  })
  for (const step of [-86_400_000, 86_400_000]) {
    globalThis.Date = class extends original {
      static now() {
        return original.now() + step
      }
    }
    t.deepEqual(map.get('key'), { a: 1 })
    t.true(map.ttl('key') > 3_000_000 && map.ttl('key') <= 3_600_000)
  }
})
