'use strict'

// Every way to call is told to those who look on: calls that block, channels, and the calls that tasks make.

const { AsyncLocalStorage } = require('node:async_hooks')
const { tracingChannel } = require('node:diagnostics_channel')
const { once } = require('node:events')
const test = require('ava')
const { failure, familyPool, fixture, makePool, program, taskPool } = require('./helpers')
const { PLAIN, TRACING, listenTo } = require('./task-channels')

const ALL = [...PLAIN, ...TRACING]

/** A channel, in short. */
const short = (name) => `${name.startsWith('tracing') ? 'trace ' : ''}${name.split(':').at(-1)}`
const namesOf = (log) => log.map(([name]) => short(name))
const told = (log, name) => log.filter(([channel]) => short(channel) === name).map(([, message]) => message)
const turn = () => new Promise(setImmediate)

const CALLED = ['trace start', 'queue', 'trace end']
const RETURNED = ['start', 'end', 'trace asyncStart', 'trace asyncEnd']
const FAILED = ['start', 'error', 'trace error', 'end', 'trace asyncStart', 'trace asyncEnd']
const REFUSED = ['trace start', 'error', 'trace error', 'end', 'trace end']

// ---- calls that block --------------------------------------------------------------------------

test('a call that blocks is told of: that it was made at once, the rest when its thread goes on', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const log = listenTo(t, pool, ALL)
  t.is(pool.runTaskSync('square', 7), 49)
  t.deepEqual(namesOf(log), CALLED)
  await turn()
  t.deepEqual(namesOf(log), [...CALLED, ...RETURNED])
  const [, message] = log[0]
  t.true(
    log.every(([, other]) => other === message),
    'one object a task'
  )
  const { task, lane, kind, nested, outer, result, worker, wait, run } = message
  t.deepEqual([task, lane, kind, nested, outer, result], ['square', 'script', 'call', false, undefined, 49])
  t.is(worker.threadId, await pool.runTask('where'))
  t.true(wait >= 0 && run >= 0)
  log.length = 0
  t.is(pool.runTaskSync('hash.crc32', 'x'), 2363233923)
  await turn()
  t.deepEqual([log[0][1].task, log[0][1].lane, log[0][1].result], ['hash.crc32', 'native', 2363233923])
})

test('a call that blocks and fails tells why', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1, abortGrace: 0 })
  await pool.run(1)
  const log = listenTo(t, pool, ALL)
  const thrown = t.throws(() => pool.runTaskSync('throws'))
  await turn()
  t.deepEqual(namesOf(log), [...CALLED, ...FAILED])
  t.is(told(log, 'end')[0].error, thrown)
  log.length = 0
  t.throws(() => pool.runSync(() => {}), { any: true })
  t.deepEqual(namesOf(log), REFUSED, 'a call that could not be made')
  log.length = 0
  t.throws(() => pool.runTaskSync('loop', 0, { timeout: 5 }), { code: 'ERR_RSPOOL_TASK_TIMEOUT' })
  t.throws(() => pool.runTaskSync('exits', 3), { code: 'ERR_RSPOOL_WORKER_EXIT' })
  await turn()
  t.deepEqual(
    told(log, 'end').map(({ error }) => error.code),
    ['ERR_RSPOOL_TASK_TIMEOUT', 'ERR_RSPOOL_WORKER_EXIT']
  )
})

test('a call that blocks and is not accepted tells no place in the queue', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, maxQueue: 0 })
  const busy = pool.runTask('pause')
  await gate.arrival()
  const log = listenTo(t, pool, ALL)
  t.throws(() => pool.runSync(1), { code: 'ERR_RSPOOL_QUEUE_FULL' })
  await turn()
  t.deepEqual(namesOf(log), [
    'trace start',
    'trace end',
    'error',
    'trace error',
    'end',
    'trace asyncStart',
    'trace asyncEnd'
  ])
  gate.open()
  await busy
})

test('a store that is bound to the start of a trace travels with a call that blocks, and is there at its end', async (t) => {
  const span = new AsyncLocalStorage()
  const { start } = tracingChannel('rspool:task')
  const pool = makePool(t, { filename: fixture('contexts.js'), maxThreads: 1, context: { user: span } })
  start.bindStore(span, ({ pool: of, task }) => (of === pool ? `span of ${task}` : undefined))
  t.teardown(() => start.unbindStore(span))
  const stores = []
  listenTo(t, pool, PLAIN.slice(2, 3), () => stores.push(span.getStore()))
  t.is(pool.runTaskSync('user'), 'span of user')
  await turn()
  t.deepEqual(stores, ['span of user'])
})

test('subscribers may block their thread with a call, and throw', async (t) => {
  const { stdout, code } = await program(`
    const { subscribe } = require('node:diagnostics_channel')
    const pool = new rspool.Pool({ filename: fixture('family.js'), maxThreads: 2 })
    const results = []
    for (const name of ${JSON.stringify(ALL)}) {
      subscribe(name, ({ task }) => {
        if (task === 'fib') results.push(pool.runTaskSync('square', results.length))
        throw new Error('from a subscriber')
      })
    }
    let uncaught = 0
    process.on('uncaughtException', ({ message }) => uncaught += message === 'from a subscriber')
    // Three calls, one in another: seven messages each.
    console.log(pool.runTaskSync('fib', 2))
    setImmediate(async () => {
      const { port, result } = pool.channel('square', 5)
      console.log(await result)
      await pool.close()
      console.log(results.length, results.every((n, i) => n === i ** 2), uncaught === 7 * 3 + 7 * 21 + 7)
    })
  `)
  t.is(code, 0)
  t.is(stdout, '1\n25\n21 true true\n')
})

// ---- channels ----------------------------------------------------------------------------------

test('a channel is told of', async (t) => {
  const pool = makePool(t, { filename: fixture('channels.js'), maxThreads: 1, abortGrace: 0 })
  const log = listenTo(t, pool, ALL)
  t.is(await pool.channel('sends', 2).result, 'sent')
  t.deepEqual(namesOf(log), [...CALLED, ...RETURNED])
  const { task, kind, nested, result } = log[0][1]
  t.deepEqual([task, kind, nested, result], ['sends', 'channel', false, 'sent'])
  log.length = 0
  const thrown = await failure(pool.channel('sendsAndThrows').result)
  t.deepEqual(namesOf(log), [...CALLED, ...FAILED])
  t.is(told(log, 'end')[0].error, thrown)
  log.length = 0
  await failure(pool.channel('id', () => {}).result)
  t.deepEqual(namesOf(log), REFUSED)
  log.length = 0
  const controller = new AbortController()
  const { port, result: aborted } = pool.channel('hangs', 0, { signal: controller.signal })
  await once(port, 'message')
  const closed = once(port, 'close')
  controller.abort()
  t.is((await failure(aborted)).code, 'ABORT_ERR')
  await closed
  t.deepEqual(told(log, 'end').length, 1)
})

test('progress of a channel comes in the context of its caller, and all of it before its end', async (t) => {
  const store = new AsyncLocalStorage()
  const pool = makePool(t, { filename: fixture('progress.js'), maxThreads: 1 })
  const seen = []
  const onProgress = (value) => seen.push([value, store.getStore()])
  await store.run('caller', () => pool.channel('report', 2, { onProgress }).result)
  t.deepEqual(seen, [
    ['half', 'caller'],
    ['whole', 'caller']
  ])
})

test('a channel is a resource for async_hooks, where hooks are in use', async (t) => {
  const { stdout } = await program(`
    const { createHook } = require('node:async_hooks')
    const pool = new rspool.Pool({ filename: fixture('channels.js'), maxThreads: 1 })
    const log = []
    const ids = new Set()
    const note = (what) => (id) => ids.has(id) && log.push(what)
    createHook({
      init(id, type) {
        if (type === 'RspoolTask') ids.add(id)
      },
      before: note('before'), after: note('after'), destroy: note('destroy')
    }).enable()
    async function main() {
      await pool.channel('sends', 1).result
      while (!log.includes('destroy')) await new Promise(setImmediate)
      console.log(log.join(' '))
      await pool.close()
    }
    main()
  `)
  t.is(stdout, 'before after destroy\n')
})

// ---- calls of tasks ----------------------------------------------------------------------------

/** The messages by what they are of, and who called. */
const tree = (messages) =>
  messages.map(({ task, lane, kind, nested, outer, result }) => [task, lane, kind, nested, outer?.task, result])

test('calls of tasks are told of, and who made them', async (t) => {
  const { pool } = familyPool(t)
  const log = listenTo(t, pool, ALL)
  t.is(await pool.runTask('fib', 2), 1)
  const ended = told(log, 'end')
  t.deepEqual(tree(ended), [
    ['fib', 'script', 'call', true, 'fib', 1],
    ['fib', 'script', 'call', true, 'fib', 0],
    ['fib', 'script', 'call', false, undefined, 1]
  ])
  t.is(ended[0].outer, ended[2])
  for (const message of ended) {
    const names = namesOf(log.filter(([, of]) => of === message))
    t.deepEqual(names, [...CALLED, ...RETURNED])
    t.true(message.wait >= 0 && message.run >= 0 && message.worker.threadId > 0)
  }
  log.length = 0
  await pool.runTask('digest', 'x')
  t.deepEqual(tree(told(log, 'end'))[0].slice(0, 5), ['hash.sha256', 'native', 'call', true, 'digest'])
})

test('calls of tasks that fail tell why, each once', async (t) => {
  const { pool, gate } = familyPool(t, { abortGrace: 0, maxThreads: 2 })
  const log = listenTo(t, pool, ALL)
  await failure(pool.runTask('ask', ['throws']))
  await failure(pool.runTask('ask', ['hash.sha256', 5]))
  await failure(pool.runTask('ask', ['never', 0, { timeout: 5 }]))
  const arrived = gate.arrived
  const controller = new AbortController()
  const aborted = failure(pool.runTask('ask', ['never'], { signal: controller.signal }))
  await gate.arrival(arrived + 1)
  controller.abort()
  await aborted
  const nested = log.filter(([, message]) => message.nested)
  const codes = ['E_RANGE', 'ERR_RSPOOL_INVALID_ARGUMENT', 'ERR_RSPOOL_TASK_TIMEOUT', 'ABORT_ERR']
  for (const channel of ['error', 'trace error', 'end'])
    t.deepEqual(
      told(nested, channel).map(({ error }) => error.code),
      codes,
      channel
    )
  t.is(told(nested, 'trace end').length, 4)
})

test('calls of tasks are told of after a call that blocks, in order', async (t) => {
  const { pool } = familyPool(t)
  const log = listenTo(t, pool, ALL)
  t.is(pool.runTaskSync('fib', 3), 2)
  t.deepEqual(namesOf(log), CALLED)
  await turn()
  const messages = new Set(log.map(([, message]) => message))
  t.is(messages.size, 5)
  for (const message of messages) t.deepEqual(namesOf(log.filter(([, of]) => of === message)), [...CALLED, ...RETURNED])
  const position = (name, message) => log.findIndex(([channel, of]) => short(channel) === name && of === message)
  for (const message of messages) {
    if (!message.nested) continue
    t.true(position('queue', message.outer) < position('trace start', message))
    t.true(position('end', message) < position('end', message.outer))
  }
})

for (const way of ['runTask', 'runTaskSync']) {
  test(`the span of a task's call is within that of its caller: ${way}`, async (t) => {
    const span = new AsyncLocalStorage()
    const { start } = tracingChannel('rspool:task')
    const { pool } = familyPool(t)
    start.bindStore(span, ({ pool: of, task }) => (of === pool ? [...(span.getStore() ?? []), task] : undefined))
    t.teardown(() => start.unbindStore(span))
    const spans = []
    listenTo(t, pool, [TRACING[2]], () => spans.push(span.getStore()))
    await span.run(['request'], () => pool[way]('ask', ['ask', ['square', 3]]))
    await turn()
    t.deepEqual(spans, [
      ['request', 'ask', 'ask', 'square'],
      ['request', 'ask', 'ask'],
      ['request', 'ask']
    ])
  })
}

test('a call of a task whose own call was made before anybody subscribed has no outer', async (t) => {
  const { stdout } = await program(`
    const { subscribe } = require('node:diagnostics_channel')
    const gate = new Int32Array(new SharedArrayBuffer(8))
    const pool = new rspool.Pool({ filename: fixture('family.js'), maxThreads: 1, workerData: { gate } })
    const call = pool.runTask('afterGate', 3)
    for (const name of ${JSON.stringify(PLAIN)})
      subscribe(name, ({ task, nested, outer }) => console.log(name, task, nested, outer))
    Atomics.store(gate, 1, 1)
    Atomics.notify(gate, 1)
    call.then((result) => pool.close().then(() => console.log(result)))
  `)
  t.deepEqual(stdout.trim().split('\n'), [
    'rspool:task:queue square true undefined',
    'rspool:task:start square true undefined',
    'rspool:task:end square true undefined',
    '9'
  ])
})

// ---- user timing -------------------------------------------------------------------------------

test('with timing every way to call is a measure', async (t) => {
  const { stdout } = await program(`
    const pool = new rspool.Pool({ filename: fixture('channels.js'), maxThreads: 1, timing: true })
    pool.runTaskSync(function calls() {
      return require('./lib/worker/api').run('input', { name: 'id' })
    })
    pool.channel('sends', 3).result.then(async () => {
      await pool.close()
      for (const { detail, duration } of performance.getEntriesByName('rspool:task'))
        console.log(detail.task, detail.kind, detail.nested, duration >= detail.run)
    })
  `)
  t.deepEqual(stdout.trim().split('\n'), ['(inline) call false true', 'id call true true', 'sends channel false true'])
})
