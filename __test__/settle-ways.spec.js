'use strict'

// Each way to fail, by each way to call: whatever happens, the call ends within five seconds, with the code
// of the contract, and the pool works on.

const test = require('ava')
const { fixture, makePool } = require('./helpers')

/** The last item of a stream or a mapping. */
async function last(iterable) {
  let item
  for await (item of iterable);
  return item
}

/** By the way to call: what makes the call. */
const calls = {
  run: async (pool, { name = 'call', input, options }) => pool.run(input, { ...options, name }),
  map: async (pool, { name = 'call', input, options }) => last(pool.map([input], name, options)),
  'map in chunks': async (pool, { name = 'call', input, options }) =>
    last(pool.map([input, input], name, { chunk: 2, ...options })),
  settled: async (pool, { name = 'call', input, options }) => {
    const [{ status, value, reason }] = await pool.settled([input], name, options)
    if (status === 'rejected') throw reason
    return value
  },
  stream: async (pool, { name = 'items', input, options }) => last(pool.stream(name, input, options)),
  runSync: async (pool, { name = 'call', input, options }) => pool.runSync(input, { ...options, name }),
  nested: async (pool, { name = 'call', input, options }) => {
    const { signal, ...others } = options ?? {}
    return pool.runTask('nested', [name, input, options && others], { signal })
  },
  channel: async (pool, { name = 'call', input, options }) => pool.channel(name, input, options).result
}

const EXIT = 'ERR_RSPOOL_WORKER_EXIT'
const INVALID = 'ERR_RSPOOL_INVALID_ARGUMENT'
const TIMEOUT = 'ERR_RSPOOL_TASK_TIMEOUT'

/** By the way to fail: what is called, and the code that it ends with. `but` is where that is another. */
const failures = {
  throws: { input: 'throws', ends: 'E_RANGE' },
  rejects: { input: 'rejects', ends: 'E_RANGE' },
  exits: { input: 'exits', ends: EXIT },
  'exits later': { input: 'exitsLater', ends: EXIT },
  'throws in the background': { input: 'uncaught', ends: 'TypeError' },
  'rejects in the background': { input: 'unhandled', ends: 'TypeError' },
  'gives what cannot be cloned': { input: 'uncloneable', ends: 25 },
  'takes what cannot be cloned': { input: () => {}, ends: 25 },
  'is not exported': { name: 'missing', input: 1, ends: 'ERR_RSPOOL_UNKNOWN_TASK' },
  'never ends': { input: 'never', options: () => ({ timeout: 5 }), ends: TIMEOUT },
  'never turns its loop': { input: 'loops', options: () => ({ timeout: 5 }), ends: TIMEOUT },
  'is late': { input: 'never', options: () => ({ deadline: Date.now() + 5 }), ends: 'ERR_RSPOOL_DEADLINE' },
  'is aborted': { input: 'never', options: () => ({ signal: AbortSignal.timeout(5) }), ends: 'ABORT_ERR' },
  'was aborted': { input: 'never', options: () => ({ signal: AbortSignal.abort() }), ends: 'ABORT_ERR' },
  'has a wrong option': { input: 'fine', options: () => ({ timeout: 'soon' }), ends: INVALID }
}

/** What ends otherwise in one way to call: other codes, or undefined for what it has not. */
const otherwise = {
  // A blocked thread aborts nothing.
  'runSync, is aborted': undefined,
  // The input of a task of a task is that of its caller, too.
  'nested, takes what cannot be cloned': [25],
  // It dies of its own time limit with its caller beside it, or after the caller has heard of that.
  'nested, never ends': [TIMEOUT, EXIT],
  'nested, never turns its loop': [TIMEOUT, EXIT],
  'nested, is late': ['ERR_RSPOOL_DEADLINE', EXIT]
}

/** How a call ends. One that does not is named by the time limit of its test. @param {Promise<unknown>} promise */
const ending = (promise) =>
  promise.then(
    () => 'ok',
    (error) => error?.code ?? error?.name
  )

const failPool = (t, options) =>
  makePool(t, { filename: fixture('fails.js'), maxThreads: 1, abortGrace: 0, ...options })

for (const [way, call] of Object.entries(calls)) {
  for (const [what, { name, input, options, ends }] of Object.entries(failures)) {
    const key = `${way}, ${what}`
    if (Object.hasOwn(otherwise, key) && otherwise[key] === undefined) continue
    test.serial(`${way}: a task that ${what}`, async (t) => {
      const pool = failPool(t)
      const expected = otherwise[key] ?? [ends]
      for (const state of ['cold', 'warm']) {
        const code = await ending(call(pool, { name, input, options: options?.() }))
        t.true(expected.includes(code), `${state}: ${code}`)
        t.is(await ending(pool.run('fine')), 'ok', state)
      }
      // Behind and before others.
      const before = pool.run('fine')
      const failing = ending(call(pool, { name, input, options: options?.() }))
      const after = pool.run('fine')
      const code = await failing
      t.true(expected.includes(code), `busy: ${code}`)
      t.is(await ending(before), 'ok')
      t.is(await ending(after), 'ok')
      t.is(await ending(call(pool, { input: 'fine' })), 'ok')
    })
  }

  test.serial(`${way}: without a script, and where it cannot be loaded`, async (t) => {
    const none = makePool(t, { maxThreads: 1 })
    t.is(
      await ending(call(none, { input: 1 })),
      way === 'nested' ? 'ERR_RSPOOL_UNKNOWN_TASK' : 'ERR_RSPOOL_UNKNOWN_TASK'
    )
    const broken = makePool(t, { filename: '/no/such.js', maxThreads: 1 })
    for (let round = 0; round < 2; round++) t.is(await ending(call(broken, { input: 1 })), 'ERR_RSPOOL_WORKER_START')
  })

  test.serial(`${way}: on a pool that is closed, or destroyed under it`, async (t) => {
    for (const end of ['close', 'destroy']) {
      for (const warm of [false, true]) {
        const pool = failPool(t)
        if (warm) await pool.run('fine')
        const first = ending(call(pool, { input: 'fine' }))
        const second = way === 'runSync' ? first : ending(call(pool, { input: 'fine' }))
        const ended = pool[end]()
        const late = ending(call(pool, { input: 'fine' }))
        const allowed = ['ok', 'ERR_RSPOOL_POOL_CLOSED']
        t.true(allowed.includes(await first))
        t.true(allowed.includes(await second))
        t.is(await late, 'ERR_RSPOOL_POOL_CLOSED')
        await ended
      }
    }
    if (way === 'runSync') return
    const pool = failPool(t)
    await pool.run('fine')
    const never = ending(call(pool, { input: 'never' }))
    while (pool.stats().running === 0) await new Promise(setImmediate)
    await pool.destroy()
    t.is(await never, 'ERR_RSPOOL_POOL_CLOSED')
  })
}

const native = {
  'is not there': [['no.such'], 'ERR_RSPOOL_UNKNOWN_TASK'],
  'has a wrong input': [['hash.sha256', 5], INVALID],
  'has a damaged input': [['decompress.gzip', Buffer.from('x')], 'ERR_RSPOOL_CORRUPT_INPUT'],
  'has wrong params': [['hash.sha256', '', { params: { encoding: 'rot13' } }], INVALID],
  'runs too long': [['math.countPrimes', 2 ** 53 - 1, { timeout: 5 }], TIMEOUT],
  'was aborted': [['math.fibonacci', 50, { signal: AbortSignal.abort() }], 'ABORT_ERR']
}

const nativeCalls = {
  runTask: async (pool, [task, input, options]) => pool.runTask(task, input, options),
  runTaskSync: async (pool, [task, input, options]) => pool.runTaskSync(task, input, options),
  map: async (pool, [task, input, options]) => last(pool.map([input], task, options)),
  settled: async (pool, [task, input, options]) => {
    const [{ reason }] = await pool.settled([input], task, options)
    throw reason
  },
  nested: async (pool, [task, input, { signal, ...options } = {}]) =>
    pool.runTask('nested', [task, input, options], { signal })
}

for (const [way, call] of Object.entries(nativeCalls)) {
  test.serial(`${way}: a native task, each way to fail`, async (t) => {
    const pool = failPool(t)
    for (const [what, [args, ends]] of Object.entries(native)) {
      t.is(await ending(call(pool, args)), ends, what)
      t.is(await ending(pool.runTask('hash.crc32', '')), 'ok', what)
    }
  })
}
