'use strict'

// The asynchronous context of a caller: it goes on in what comes of its calls, and with the option
// `context` it travels into the workers.

const { AsyncLocalStorage } = require('node:async_hooks')
const test = require('ava')
const { move } = require('../index.js')
const { failure, fixture, makePool, program, taskPool } = require('./helpers')

const contextPool = (t, options) => makePool(t, { filename: fixture('contexts.js'), maxThreads: 1, ...options })

async function collect(iterable) {
  const items = []
  for await (const item of iterable) items.push(item)
  return items
}

// ---- on the caller's side ----------------------------------------------------------------------

test('what comes of a call goes on in the context of its caller', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 2 })
  const store = new AsyncLocalStorage()
  const calls = [0, 1, 2, 3].map((id) =>
    store.run(id, async () => {
      await pool.run(id)
      t.is(store.getStore(), id, 'after an await')
      await pool.run(1, { name: 'throws' }).catch(() => t.is(store.getStore(), id, 'in a catch'))
      await pool.runTask('hash.crc32', 'x').then(() => t.is(store.getStore(), id, 'in a then'))
      for await (const _ of pool.map([1, 2, 3])) t.is(store.getStore(), id, 'in a loop over results')
    })
  )
  await Promise.all(calls)
})

test('onProgress runs in the context of its caller, however many isolates the call started', async (t) => {
  const store = new AsyncLocalStorage()
  const pool = makePool(t, { filename: fixture('progress.js'), maxThreads: 1, minThreads: 0 })
  const seen = []
  const call = (id) => store.run(id, () => pool.runTask('report', 2, { onProgress: () => seen.push(store.getStore()) }))
  await Promise.all([call('first'), call('second')])
  t.deepEqual(new Set(seen), new Set(['first', 'second']))
  await call('third')
  t.is(seen.at(-1), 'third')
})

test('an input that is read item by item is read in the context of its reader', async (t) => {
  const store = new AsyncLocalStorage()
  const pool = contextPool(t)
  const seen = new Set()
  async function* inputs() {
    for (let i = 0; i < 3000; i++) {
      if (i % 700 === 0) await new Promise(setImmediate)
      seen.add(store.getStore())
      yield i
    }
  }
  await store.run('reader', async () => {
    const items = await collect(pool.stream('echoes', inputs()))
    t.is(items.length, 3000)
    await collect(pool.map(inputs(), 'user'))
  })
  t.deepEqual([...seen], ['reader'])
})

test('the onProgress of a mapping runs in the context of its reader', async (t) => {
  const store = new AsyncLocalStorage()
  const pool = contextPool(t)
  const seen = new Set()
  const onProgress = () => seen.add(store.getStore())
  await store.run('map', () => collect(pool.map([1, 2, 3], 'user', { onProgress })))
  await store.run('settled', () => pool.settled([1, 2, 3], 'user', { onProgress }))
  t.deepEqual([...seen], ['map', 'settled'])
})

test('events of a pool run in the context in which the pool was made', async (t) => {
  const store = new AsyncLocalStorage()
  const pool = store.run('maker', () => contextPool(t, { minThreads: 0 }))
  const seen = []
  for (const event of ['workerCreate', 'workerExit', 'close']) pool.on(event, () => seen.push(store.getStore()))
  await store.run('caller', () => pool.run(1, { name: 'user' }))
  await store.run('closer', () => pool.close())
  await new Promise(setImmediate)
  t.deepEqual(seen, ['maker', 'maker', 'maker'])
})

test('a call is a resource for async_hooks, where hooks are in use', async (t) => {
  const { stdout } = await program(`
    const { createHook, executionAsyncId } = require('node:async_hooks')
    const pool = new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 1 })
    async function main() {
      await pool.run(0)
      const logs = new Map()
      const note = (what) => (id) => logs.get(id)?.push(what)
      const hook = createHook({
        init(id, type, trigger) {
          if (type === 'RspoolTask') logs.set(id, [trigger === executionAsyncId()])
        },
        before: note('before'), after: note('after'), destroy: note('destroy')
      }).enable()
      await pool.run(1)
      await pool.run(2, { name: 'throws' }).catch(() => {})
      await pool.run(() => {}).catch(() => {})
      while (![...logs.values()].every((log) => log.includes('destroy'))) await new Promise(setImmediate)
      hook.disable()
      await pool.run(3)
      for (const log of logs.values()) console.log(log.join(' '))
      await pool.close()
    }
    main()
  `)
  t.deepEqual(stdout.trim().split('\n'), ['true before after destroy', 'true before after destroy', 'true destroy'])
})

// ---- into the workers --------------------------------------------------------------------------

test('the values of registered stores travel with each call', async (t) => {
  const user = new AsyncLocalStorage()
  const trace = new AsyncLocalStorage()
  const pool = contextPool(t, { context: { user, trace } })
  t.deepEqual(await pool.run(0, { name: 'both' }), [undefined, undefined])
  t.deepEqual(await user.run({ name: 'Ada' }, () => pool.run(0, { name: 'both' })), [{ name: 'Ada' }, undefined])
  const both = await trace.run('t1', () => user.run(null, () => pool.run(0, { name: 'both' })))
  t.deepEqual(both, [null, 't1'])
  t.deepEqual(await pool.run(0, { name: 'both' }), [undefined, undefined], 'nothing of it stays')
})

test('values that are given with a call go before the stores', async (t) => {
  const user = new AsyncLocalStorage()
  const pool = contextPool(t, { context: { user } })
  await user.run('ambient', async () => {
    t.is(await pool.run(0, { name: 'user', context: { user: 'given' } }), 'given')
    t.is(await pool.run(0, { name: 'user', context: { user: undefined } }), undefined)
    t.deepEqual(await pool.runTask('both', 0, { context: { trace: 7 } }), ['ambient', 7])
    t.deepEqual(await pool.runTask('both', 0, { context: JSON.parse('{"__proto__": 1}') }), ['ambient', undefined])
  })
})

test('the value is as it was at the call', async (t) => {
  const user = new AsyncLocalStorage()
  const pool = contextPool(t, { context: { user } })
  const value = { n: 1 }
  const call = user.run(value, () => pool.run(0, { name: 'user' }))
  value.n = 2
  t.deepEqual(await call, { n: 1 })
})

test('it stays right across awaits, with several tasks in one isolate', async (t) => {
  const user = new AsyncLocalStorage()
  const pool = contextPool(t, { context: { user }, concurrentTasksPerWorker: 8 })
  const ids = Array.from({ length: 40 }, (_, i) => i)
  const seen = await Promise.all(ids.map((id) => user.run(id, () => pool.run((id * 7) % 5, { name: 'later' }))))
  t.deepEqual(
    seen,
    ids.map((id) => [id, id])
  )
})

test('it travels with streams, with mappings and with what is moved', async (t) => {
  const user = new AsyncLocalStorage()
  const pool = contextPool(t, { context: { user } })
  async function* inputs() {
    yield 1
    await new Promise(setImmediate)
    yield 2
  }
  await user.run('Ada', async () => {
    const rows = await collect(pool.stream('rows', 600, { highWaterMark: 16 }))
    t.deepEqual([...new Set(rows)], ['Ada'])
    t.deepEqual(await collect(pool.stream('echoes', inputs())), [
      [1, 'Ada'],
      [2, 'Ada']
    ])
    t.deepEqual([...new Set(await collect(pool.map(Array(500).fill(0), 'user')))], ['Ada'])
    t.deepEqual((await pool.settled([1], 'user', { context: { user: 'Bob' } }))[0].value, 'Bob')
    const bytes = new Uint8Array(9)
    t.deepEqual(await pool.runTask('length', bytes, { transferList: [bytes.buffer] }), [9, 'Ada'])
    t.is(bytes.byteLength, 0)
    const moved = new Uint8Array(7)
    t.deepEqual(await pool.runTask('length', move(moved)), [7, 'Ada'])
    t.is(await pool.runTask('hash.crc32', 'text'), 999008199, 'native tasks have none')
  })
})

test('it travels again where a task starts again', async (t) => {
  const user = new AsyncLocalStorage()
  const pool = contextPool(t, { context: { user }, retries: 1 })
  const dying = (cells) => {
    const { context } = require('../lib/worker/api')
    if (Atomics.add(cells, 0, 1) === 0) process.exit(1)
    return context.user.getStore()
  }
  const cells = new Int32Array(new SharedArrayBuffer(4))
  t.is(await user.run('Ada', () => pool.runTask(dying, [cells])), 'Ada')
})

test('the listeners of task.signal run in the context of the task', async (t) => {
  const pool = contextPool(t, { context: {}, abortGrace: Infinity, concurrentTasksPerWorker: 2 })
  const controller = new AbortController()
  const cells = new Int32Array(new SharedArrayBuffer(4))
  const call = pool.runTask('aborted', cells, {
    context: { user: 42 },
    signal: controller.signal,
    onProgress: () => controller.abort()
  })
  t.is((await failure(call)).code, 'ABORT_ERR')
  const { async, value } = Atomics.waitAsync(cells, 0, 0)
  if (async) await value
  t.is(Atomics.load(cells, 0), 42)
  const pouring = pool.stream('rows', 1e9, { context: { user: 'Bob' }, highWaterMark: 1 })
  t.deepEqual(await pouring.next(), { value: 'Bob', done: false })
  await pouring.return()
})

test('it travels on with nested calls, however deep', async (t) => {
  const user = new AsyncLocalStorage()
  const pool = contextPool(t, { context: { user } })
  t.deepEqual(await user.run('Ada', () => pool.runTask('deep', [2])), ['Ada', 'Ada', 'Ada'])
  t.deepEqual(await pool.runTask('deep', [2]), [undefined, undefined, undefined])
  t.deepEqual(await pool.runTask('deep', [1], { context: { user: 'Bob' } }), ['Bob', 'Bob'])
  t.deepEqual(
    user.run('Eve', () => pool.runTaskSync('deep', [2])),
    ['Eve', 'Eve', 'Eve']
  )
  const others = await user.run('Ada', () => pool.runTask('others'))
  t.deepEqual(others, [[9, 'Ada'], 0, 999008199, 'Ada'])
})

test('nested calls of several tasks at once have each its own', async (t) => {
  const user = new AsyncLocalStorage()
  const pool = contextPool(t, { context: { user }, concurrentTasksPerWorker: 8 })
  const ids = Array.from({ length: 24 }, (_, i) => i)
  const seen = await Promise.all(ids.map((id) => user.run(id, () => pool.runTask('deep', [2, (id * 7) % 5]))))
  t.deepEqual(
    seen,
    ids.map((id) => [id, id, id])
  )
})

test('what a script has put in a store goes on instead, and what is given with a call before that', async (t) => {
  const user = new AsyncLocalStorage()
  const expected = (ambient) => [
    ['own', undefined],
    ['of the call', undefined],
    [undefined, undefined],
    [undefined, undefined],
    ['own', 'traced'],
    [ambient, 'own'],
    [ambient, undefined]
  ]
  const pool = contextPool(t, { context: { user } })
  t.deepEqual(await user.run('ambient', () => pool.runTask('overrides', 'own')), expected('ambient'))
  t.deepEqual(await contextPool(t).runTask('overrides', 'own'), expected(undefined), 'with no context of the pool')
})

test('a value in a script that cannot be cloned rejects that nested call only', async (t) => {
  const user = new AsyncLocalStorage()
  const pool = contextPool(t, { context: { user } })
  t.deepEqual(await user.run('Ada', () => pool.runTask('uncloneable')), ['Ada', 'DataCloneError', 'Ada'])
})

test('a value that cannot be cloned rejects that call only', async (t) => {
  const user = new AsyncLocalStorage()
  const pool = contextPool(t, { context: { user } })
  const bad = user.run(
    () => {},
    () => pool.run(0, { name: 'user' })
  )
  const good = user.run('Ada', () => pool.run(0, { name: 'user' }))
  t.is((await failure(bad)).name, 'DataCloneError')
  t.is(await good, 'Ada')
  t.is(pool.stats().queued + pool.stats().running, 0)
})

test('what is no context is refused', async (t) => {
  for (const context of [7, [], null, { user: 'Ada' }, { user: undefined }, { user: {} }]) {
    t.throws(() => makePool(t, { context }), { code: 'ERR_RSPOOL_INVALID_ARGUMENT', message: /'context' must be an/ })
  }
  const pool = contextPool(t)
  for (const context of [7, [], null, () => {}]) {
    const error = await failure(pool.run(0, { name: 'user', context }))
    t.is(error.code, 'ERR_RSPOOL_INVALID_ARGUMENT')
    t.regex(error.message, /'context' must be an object/)
  }
  t.is((await failure(pool.runTask('hash.crc32', 'x', { context: {} }))).code, 'ERR_RSPOOL_INVALID_ARGUMENT')
})
