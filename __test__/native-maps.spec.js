'use strict'

// Shared maps as inputs of native tasks: the same memory in Rust as in JavaScript.

const { Worker } = require('node:worker_threads')
const { once } = require('node:events')
const test = require('ava')
const { Pool, SharedMap, loadTasks, runTask, tasks } = require('..')
const { program } = require('./helpers')
const { sample } = require('./sample')

test.before(() => loadTasks(sample))

const make = (options) => new SharedMap({ bytes: '1MB', ...options })
const invalid = { code: 'ERR_RSPOOL_INVALID_ARGUMENT', instanceOf: TypeError }
/** Makes one call of a map in Rust. */
const inRust = (map, call, key, values = [], params) =>
  tasks.sample.mapCall([map, key, values], { params: { call, ...params } })

test('a task takes a map, or what share() gave, by itself and among other members', async (t) => {
  const map = make()
  for (const given of [map, map.share()]) {
    t.is(await tasks.sample.countWords({ counts: given, words: ['a', 'b', 'a'] }), 3)
    t.is(await tasks.sample.countWords({ counts: given, words: ['a'], at: [1, 2] }), 3)
    await tasks.sample.hammer([given, 'hammered', 10])
  }
  t.deepEqual([map.get('a'), map.get('b'), map.get('hammered')], [6, 2, 20])
})

test('Rust reads what JavaScript has put, and JavaScript what Rust has', async (t) => {
  const map = make()
  const values = [
    '',
    'text',
    'ż and 🙂',
    'é'.repeat(300),
    'x'.repeat(20_000),
    0,
    -0,
    1.5,
    2 ** 53,
    2 ** 60,
    NaN,
    -Infinity,
    true,
    false,
    null,
    0n,
    -5n,
    2n ** 53n + 1n,
    -(2n ** 63n),
    2n ** 200n,
    new Uint8Array([1, 2, 3]),
    new Uint8Array(0),
    new Uint8Array(60_000).fill(7),
    new Float64Array([1.5, -2]),
    new BigInt64Array([-1n])
  ]
  for (const value of values) {
    map.set('from JavaScript', value)
    const read = await inRust(map, 'get', 'from JavaScript')
    await inRust(map, 'set', 'from Rust', [value])
    for (let again = 0; again < 3; again++) t.deepEqual(map.get('from Rust'), value)
    t.deepEqual(read instanceof Uint8Array ? Uint8Array.from(read) : read, value)
    // What one has put the other finds equal.
    t.true(map.compareAndSet('from Rust', value, 1) || Number.isNaN(value))
    t.true((await inRust(map, 'compareAndSet', 'from JavaScript', [value, 1])) || Number.isNaN(value))
  }
  map.set('half', 'half \ud800 of one')
  t.is(await inRust(map, 'get', 'half'), 'half \ufffd of one')
  t.is(await inRust(map, 'get', 'nothing'), undefined)
})

test('plain data that Rust has put is frozen, and the same object as long as the entry is the same', async (t) => {
  const map = make()
  const data = { name: 'one', roles: ['a', null, { deep: -1.5 }] }
  await inRust(map, 'set', 'data', [data])
  const read = map.get('data')
  t.deepEqual(read, data)
  t.is(map.get('data'), read)
  t.true(Object.isFrozen(read.roles[2]))
  t.deepEqual(await inRust(map, 'get', 'data'), data)
  await inRust(map, 'set', 'data', [[1, 2]])
  t.deepEqual(map.get('data'), [1, 2])
})

test('a value that this thread keeps is the one that Rust has put since', async (t) => {
  const map = make()
  for (let n = 0; n < 30; n++) {
    const text = `${n} `.repeat(20)
    map.set('text', text)
    map.set('data', { n })
    for (let again = 0; again < 3; again++) t.is(map.get('text') + map.get('data').n, text + n)
    await inRust(map, 'set', 'text', [`${text}!`])
    t.is(map.get('text'), `${text}!`)
    await inRust(map, 'delete', 'data')
    t.is(map.get('data'), undefined)
  }
})

test('each call does what it does in JavaScript', async (t) => {
  const map = make()
  t.true(await inRust(map, 'add', 'key', [1]))
  t.false(await inRust(map, 'add', 'key', [2]))
  t.true(await inRust(map, 'has', 'key'))
  t.false(await inRust(map, 'compareAndSet', 'key', [2, 3]))
  t.true(await inRust(map, 'compareAndSet', 'key', [1, 'text']))
  t.true(await inRust(map, 'compareAndSet', 'absent', [undefined, 5]))
  t.false(await inRust(map, 'compareAndSet', 'absent', [undefined, 6]))
  t.is(map.get('key'), 'text')
  t.true(await inRust(map, 'delete', 'key'))
  t.false(await inRust(map, 'delete', 'key'))
  t.false(map.has('key'))
  t.is(await inRust(map, 'increment', 'n', [5]), 5n)
  t.is(await inRust(map, 'increment', 'from', [1], { initial: 10 }), 11n)
  map.increment('n', -2)
  t.is(await inRust(map, 'increment', 'n', [1]), 4n)
  t.is(await inRust(map, 'increment', 'large', [2n ** 62n]), 2n ** 62n)
  t.is(map.get('large'), 2n ** 62n)
  t.is(await inRust(map, 'update', 'n'), 8)
  t.is(await inRust(map, 'update', 'nobody'), undefined)
  t.is(map.get('n'), 8)
})

test('entries that Rust puts last as long as it says, or as the map does', async (t) => {
  const map = make({ ttl: 60_000 })
  await inRust(map, 'set', 'default', [1])
  await inRust(map, 'set', 'own', [1], { ttl: 500_000 })
  t.true(map.ttl('default') > 1000 && map.ttl('default') <= 60_000)
  t.true(map.ttl('own') > 60_000 && map.ttl('own') <= 500_000)
  t.true((await inRust(map, 'ttl', 'own')) <= 500_000)
  // An entry that is counted or updated ends when it would have.
  await inRust(map, 'increment', 'own', [1])
  await inRust(map, 'update', 'own')
  t.true(map.ttl('own') > 60_000)
  t.true(await inRust(map, 'expire', 'own'))
  t.is(map.ttl('own'), Infinity)
  t.is(await inRust(map, 'ttl', 'own'), Infinity)
  t.is(await inRust(map, 'ttl', 'nobody'), undefined)
  t.false(await inRust(map, 'expire', 'nobody'))
  await inRust(map, 'set', 'short', [1], { ttl: 0.001 })
  while (map.has('short')) await null
  t.is(await inRust(map, 'get', 'short'), undefined)
  t.true(await inRust(map, 'add', 'short', [2]))
})

test('what a map refuses has the code that it has in JavaScript', async (t) => {
  const map = make({ bytes: 2 ** 14, evict: false, maxValueBytes: 2000 })
  await t.throwsAsync(inRust(map, 'set', 'é'.repeat(126), [1]), invalid)
  await t.throwsAsync(inRust(map, 'get', 'x'.repeat(251)), invalid)
  t.is(await inRust(map, 'get', 'x'.repeat(250)), undefined)
  await t.throwsAsync(inRust(map, 'set', 'key', ['x'.repeat(2001)]), invalid)
  await t.throwsAsync(inRust(map, 'set', 'key', [undefined]), invalid)
  await t.throwsAsync(inRust(map, 'set', 'key', [[1n]]), invalid)
  await t.throwsAsync(inRust(map, 'set', 'key', [{ bytes: new Uint8Array(3) }]), invalid)
  await t.throwsAsync(inRust(map, 'set', 'key', [map]), invalid)
  map.set('text', 'text')
  map.set('most', 2n ** 63n - 1n)
  await t.throwsAsync(inRust(map, 'increment', 'text', [1]), invalid)
  await t.throwsAsync(inRust(map, 'increment', 'most', [1]), invalid)
  map.set('data', { a: 1 })
  await t.throwsAsync(inRust(map, 'get', 'data'), { code: 'ERR_RSPOOL_UNSUPPORTED', message: /JSON\.stringify/ })
  const fill = async () => {
    for (let n = 0; ; n++) await inRust(map, 'set', `key ${n}`, ['x'.repeat(500)])
  }
  await t.throwsAsync(fill(), { code: 'ERR_RSPOOL_MAP_FULL' })
})

test('what is no map of this process is refused', async (t) => {
  const never = { type: 'rspool.map', map: 4321 }
  await t.throwsAsync(runTask('sample.hammer', [never, 'key', 1]), { ...invalid, message: /does not have/ })
  await t.throwsAsync(runTask('sample.awaitGo', { type: 'rspool.map' }), { ...invalid, message: /does not have/ })
  await t.throwsAsync(runTask('sample.awaitGo', { a: 1 }), { ...invalid, message: /must be a SharedMap/ })
  await t.throwsAsync(runTask('sample.add', [1, make()]), { ...invalid, message: /got a SharedMap/ })
})

test('a task gives a map as share() does', async (t) => {
  const map = make()
  t.deepEqual(await runTask('sample.echo', map), map.share())
  const { a } = await runTask('sample.echo', { a: { map, bytes: new Uint8Array(1) } })
  SharedMap.from(a.map).set('key', 1)
  t.is(map.get('key'), 1)
})

test('native workers, threads and this one count exactly', async (t) => {
  const map = make()
  const pool = new Pool({ maxThreads: 4 })
  const times = 20_000
  const thread = new Worker(
    `const { SharedMap } = require(${JSON.stringify(require.resolve('..'))})
     const { map, times } = require('node:worker_threads').workerData
     const shared = SharedMap.from(map)
     for (let n = 0; n < times; n++) shared.increment('count')`,
    { eval: true, workerData: { map: map.share(), times } }
  )
  const counted = Array.from({ length: 4 }, () => pool.runTask('sample.hammer', [map, 'count', times]))
  for (let n = 0; n < times; n++) {
    map.increment('count')
    if (n % 1000 === 0) await new Promise(setImmediate)
  }
  await Promise.all([once(thread, 'exit'), ...counted])
  t.is(map.get('count'), 6 * times)
  await pool.close()
})

test('a task of a script hands a map on to a native one', async (t) => {
  const map = make()
  const pool = new Pool({ filename: require.resolve('./fixtures/family.js') })
  await pool.runTask('ask', ['sample.hammer', [map.share(), 'nested', 3]])
  t.is(map.get('nested'), 3)
  await pool.close()
})

const onLinux = process.platform === 'linux' ? test : test.skip

onLinux('a map lasts as long as a task uses it, and no longer', async (t) => {
  const { code, stdout, stderr } = await program(
    `const { AtomicCounters, SharedMap, loadTasks, tasks } = rspool
     require('node:v8').setFlagsFromString('--expose-gc')
     const gc = require('node:vm').runInNewContext('gc')
     const isMapped = () => require('node:fs').readFileSync('/proc/self/maps', 'utf8').includes('rspool-map')
     const turn = async () => {
       gc()
       await new Promise(setImmediate)
     }
     const counters = new AtomicCounters(['rows'])
     let gone = false
     const registry = new FinalizationRegistry(() => (gone = true))
     const start = () => {
       const map = new SharedMap({ bytes: '1MB' })
       map.set('done', 41)
       registry.register(map)
       return tasks.sample.awaitGo(map, { counters })
     }
     const main = async () => {
       await loadTasks(${JSON.stringify(sample)})
       const task = start()
       while (counters.get('rows') === 0 || !gone) await turn()
       for (let n = 0; n < 10; n++) await turn()
       console.log(isMapped())
       await tasks.sample.letGo()
       console.log(await task)
       while (isMapped()) await turn()
       console.log('gone')
     }
     main()`
  )
  t.is(stdout, 'true\n42\ngone\n', stderr)
  t.is(code, 0)
})
