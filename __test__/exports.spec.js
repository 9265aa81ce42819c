'use strict'

const { inspect } = require('node:util')
const test = require('ava')
const { failure, fixture, makePool } = require('./helpers')

function proxied(t, options) {
  const marks = new Int32Array(new SharedArrayBuffer(16))
  const pool = makePool(t, { filename: fixture('calls.js'), maxThreads: 1, workerData: { marks }, ...options })
  return { pool, api: pool.exports() }
}

test('its functions call the exports', async (t) => {
  const { api } = proxied(t)
  const { square, default: double } = api
  t.is(await api.square(7), 49)
  t.is(await square(3), 9)
  t.is(await double(3), 6)
  t.deepEqual(await Promise.all([1, 2, 3].map((n) => api.laterSquare(n))), [1, 4, 9])
  t.is(square.name, 'square')
})

test('it takes options, and gives the errors of a task', async (t) => {
  const { api } = proxied(t)
  const signal = AbortSignal.abort()
  t.is((await failure(api.square(7, { signal }))).code, 'ABORT_ERR')
  t.is((await failure(api.throwsAt7(7))).message, 'seven')
  t.is((await failure(api.exitsAt7(7))).code, 'ERR_RSPOOL_WORKER_EXIT')
  t.is((await failure(api.sqare(7))).code, 'ERR_RSPOOL_UNKNOWN_TASK')
  for (const options of [{ timeot: 7 }, 5, null, []]) {
    t.is((await failure(api.square(7, options))).code, 'ERR_RSPOOL_INVALID_ARGUMENT')
  }
  const { pool } = proxied(t)
  const late = pool.exports()
  await pool.destroy()
  t.is((await failure(late.square(7))).code, 'ERR_RSPOOL_POOL_CLOSED')
})

test('its functions take every option of a task', async (t) => {
  const { api } = proxied(t)
  const signal = new AbortController().signal
  const options = { signal, timeout: 60_000, priority: 1, affinity: 'a', context: { user: 'x' }, onProgress() {} }
  t.is(await api.square(7, options), 49)
})

test('it is one object, with one function for each name', (t) => {
  const { pool, api } = proxied(t)
  t.is(pool.exports(), api)
  t.is(api.square, api.square)
  t.not(api.square, api.laterSquare)
})

test('no call is made by accident', async (t) => {
  const { pool, api } = proxied(t)
  const same = await api
  t.is(same, api)
  t.is(await Promise.resolve(api), api)
  t.is(JSON.stringify({ api }), '{"api":{}}')
  t.notThrows(() => inspect(api, { showHidden: true }))
  t.deepEqual(Object.keys(api), [])
  t.is(api.then, undefined)
  t.false('then' in api)
  t.true('square' in api)
  t.is(api[Symbol.iterator], undefined)
  t.throws(
    () => {
      api.square = 5
    },
    { instanceOf: TypeError }
  )
  t.is(pool.stats().queued + pool.stats().running, 0)
})
