'use strict'

const { EventEmitter } = require('node:events')
const { MessageChannel } = require('node:worker_threads')
const { channel } = require('node:diagnostics_channel')
const test = require('ava')
const { failure, fixture, makePool, stayAlive, taskPool, upTo } = require('./helpers')
const seam = fixture('seam.js')

/** What only a port can carry. */
const shared = new SharedArrayBuffer(8)

/** Blocks this thread until a pool has ended so many tasks, so that their notices come in as one. */
function blockUntil(pool, ended) {
  while (pool.stats().completed + pool.stats().failed < ended);
}

/** What a user's code may do wherever it runs; gives the promises of what it has called. */
const actions = {
  run: (pool) => [pool.run('Z'.repeat(700)), pool.run({ a: ['x'.repeat(5000)] }), pool.run(shared)],
  runSync: (pool) => (pool.runSync('Z'.repeat(700)) === 'Z'.repeat(700) ? [] : [Promise.reject(new Error('wrong'))]),
  largeSync: (pool) => (pool.runSync('Z'.repeat(70_000)).length === 70_000 ? [] : [Promise.reject(new Error('wrong'))]),
  abort: (pool) => {
    const controller = new AbortController()
    const aborted = pool.run('given up', { signal: controller.signal }).catch(({ code }) => code)
    controller.abort()
    return [aborted]
  }
}

/** Where a user's code runs while notices are read: each has `act` called there during the first call of some. */
const places = {
  "the 'removeListener' event of a signal"(_, act) {
    const signal = new EventEmitter()
    signal.on('removeListener', act)
    return { signal }
  },
  'the removeListener of a signal'(_, act) {
    return { signal: Object.assign(new EventEmitter(), { removeListener: act }) }
  },
  'a subscriber of the end of a task'(t, act) {
    const ended = channel('rspool:task:end')
    // For the first alone: what it calls has an end, too.
    const subscriber = () => {
      ended.unsubscribe(subscriber)
      act()
    }
    ended.subscribe(subscriber)
    t.teardown(() => ended.unsubscribe(subscriber))
    return {}
  }
}

for (const [place, begin] of Object.entries(places)) {
  for (const [name, action] of Object.entries(actions)) {
    test.serial(`${name} in ${place} disturbs no other call`, async (t) => {
      const { pool } = taskPool(t, { maxThreads: 1 })
      await pool.run(0)
      const inner = []
      let acted = 0
      const options = begin(t, () => {
        acted++
        inner.push(...action(pool))
      })
      const calls = upTo(20).map((i) => pool.run(`text number ${i}`, i === 0 ? options : undefined))
      blockUntil(pool, 21)
      const results = await Promise.all(calls)
      t.deepEqual(
        results,
        upTo(20).map((i) => `text number ${i}`)
      )
      t.true(acted > 0)
      await Promise.all(inner)
    })
  }

  test.serial(`what is thrown in ${place} is uncaught, and every call ends`, async (t) => {
    stayAlive(t)
    const { pool } = taskPool(t, { maxThreads: 1 })
    await pool.run(0)
    const listeners = process.rawListeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve))
    const options = begin(t, () => {
      throw new Error('mine')
    })
    const calls = upTo(20).map((i) => pool.run(i, i === 0 ? options : undefined))
    blockUntil(pool, 21)
    t.deepEqual(await Promise.all(calls), upTo(20))
    t.is((await uncaught).message, 'mine')
    for (const listener of listeners) process.on('uncaughtException', listener)
    await pool.close()
  })
}

test('a thenable that misbehaves settles its own task, and no other', async (t) => {
  const pool = makePool(t, { filename: seam, maxThreads: 1 })
  for (const name of require('./fixtures/seam').wrong) {
    const wrong = pool.run(0, { name })
    const others = upTo(3).map((i) => pool.run(i + 1, { name: 'later' }))
    const plain = upTo(3).map((i) => pool.run(i + 4, { name: 'plain' }))
    t.deepEqual(
      await Promise.all([wrong, ...others, ...plain]),
      upTo(7).map((i) => `own result of ${i}`),
      name
    )
  }
})

test('a task is run once, however often a `then` that a script has put in the place of that of promises calls back', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  await pool.runTask(() => {
    const { then } = Promise.prototype
    // biome-ignore lint/suspicious/noThenProperty: it is what is tested
    Promise.prototype.then = function (fulfilled, rejected) {
      then.call(this, fulfilled, rejected)
      return then.call(this, fulfilled, rejected)
    }
    globalThis.runs = 0
  })
  t.is(await pool.runTask((x) => `${x} ${++globalThis.runs}`, 'one'), 'one 1')
  t.is(await pool.runTask(async (x) => `${x}, ${++globalThis.runs}`, 'two'), 'two, 2')
  t.is(await pool.runTask(() => globalThis.runs), 2)
})

test('a getter in a result may run tasks of its isolate', async (t) => {
  const pool = makePool(t, { filename: seam, maxThreads: 1 })
  const result = await pool.run(undefined, { name: 'withGetter' })
  t.deepEqual(result, { a: 'hello from a', b: await pool.runTask('hash.crc32', 'text'.repeat(100)), c: 'tail' })
})

test('a result by port of a task that was given up is nobody’s', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, abortGrace: Infinity })
  await pool.run(0)
  const controller = new AbortController()
  const given = pool.run(shared, { name: 'pause', signal: controller.signal })
  await gate.arrival()
  controller.abort()
  t.is((await failure(given)).code, 'ABORT_ERR')
  gate.open()
  t.is((await pool.run(shared)).byteLength, 8)
})

test('an input that cannot be sent when its worker asks for it ends its task alone', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const busy = pool.run(undefined, { name: 'pause' })
  await gate.arrival()
  const { port1, port2 } = new MessageChannel()
  const sent = pool.run([port2], { name: 'where', transferList: [port2] })
  const next = pool.run(shared)
  port1.close()
  gate.open()
  await busy
  const ended = await sent.then(
    () => 'ran',
    (error) => error.name
  )
  t.true(['ran', 'DataCloneError'].includes(ended), ended)
  t.is((await next).byteLength, 8)
  t.is(pool.runSync(shared).byteLength, 8)
})

test('inputs of any depth end their own task, and their worker goes on', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const nest = (depth) => JSON.parse('['.repeat(depth) + ']'.repeat(depth))
  const outcomes = new Set()
  for (let depth = 500; depth < 5000; depth += 90) {
    const inputs = upTo(3).map((i) => pool.runTask(() => 'ok', [nest(depth + i)]).catch(({ name }) => name))
    for (const outcome of await Promise.all(inputs)) outcomes.add(outcome)
  }
  outcomes.delete('ok')
  outcomes.delete('RangeError')
  t.deepEqual([...outcomes], [])
  t.is(await pool.runTask(() => 'goes on'), 'goes on')
})

test('a port that was handed over with a task that never began is closed', async (t) => {
  stayAlive(t)
  for (const giveUp of ['signal', 'queueTimeout', 'cancelQueued', 'destroy']) {
    const { pool, gate } = taskPool(t, { maxThreads: 1 })
    pool.run(undefined, { name: 'pause' }).catch(() => {})
    await gate.arrival()
    const { port1, port2 } = new MessageChannel()
    const closed = new Promise((resolve) => port1.once('close', resolve))
    const controller = new AbortController()
    const options = { transferList: [port2], signal: controller.signal }
    if (giveUp === 'queueTimeout') options.queueTimeout = 1
    const given = failure(pool.run([port2], options))
    if (giveUp === 'signal') controller.abort()
    else if (giveUp === 'cancelQueued') pool.cancelQueued()
    else if (giveUp === 'destroy') pool.destroy()
    t.is(typeof (await given).code, 'string')
    await closed
  }
})

test('what an isolate has asked for before its owner is blocked is done while that is', async (t) => {
  const marks = new Int32Array(new SharedArrayBuffer(8))
  const pool = makePool(t, { filename: seam, maxThreads: 1, workerData: { marks } })
  await pool.run(0, { name: 'plain' })
  const asking = pool.run(undefined, { name: 'asks' })
  // The message is in the port, and the loop has had no turn.
  while (Atomics.load(marks, 0) === 0);
  t.is(pool.runSync('sync', { name: 'plain' }), 'own result of sync')
  t.is(await asking, 'own result of inner')
})

test('a signal gives up its own task, whatever a getter in the input has called', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 2, minThreads: 2, abortGrace: Infinity })
  await pool.ready()
  const controller = new AbortController()
  let inner
  const input = {
    shared,
    get a() {
      inner ??= pool.run('inner', { name: 'pause' })
      return 1
    }
  }
  const outer = pool.run(input, { name: 'never', signal: controller.signal })
  await gate.arrival(2)
  controller.abort()
  t.is((await failure(outer)).code, 'ABORT_ERR')
  gate.open()
  t.is(await inner, 'inner')
})

test('a getter in an input may block for another task, whatever carries the input', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  class Row {
    value = 1
  }
  await pool.run(0)
  for (const inner of [
    () => pool.runSync('inner'),
    () => pool.runTaskSync('hash.crc32', 'inner'),
    () => pool.runSync(shared)
  ])
    for (const around of [{}, { shared }, { row: new Row() }]) {
      let got
      const input = {
        ...around,
        get a() {
          got = inner()
          return 'after'
        }
      }
      t.is((await pool.run(input)).a, 'after')
      t.not(got, undefined)
    }
  t.is(await pool.run('goes on'), 'goes on')
})
