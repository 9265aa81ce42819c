'use strict'

const { MessageChannel, receiveMessageOnPort } = require('node:worker_threads')
const test = require('ava')
const { failure, makePool, rspool, taskPool, upTo } = require('./helpers')
const { move } = rspool

/** What only a port can carry. */
const shared = new SharedArrayBuffer(8)

/** Pools that refuse a call, and the code of the refusal. */
const refusals = {
  async ERR_RSPOOL_QUEUE_FULL(t) {
    const { pool, gate } = taskPool(t, { maxThreads: 1, maxQueue: 0 })
    pool.run(undefined, { name: 'pause' }).catch(() => {})
    await gate.arrival()
    return pool
  },
  async ERR_RSPOOL_POOL_CLOSED(t) {
    const { pool } = taskPool(t)
    await pool.close()
    return pool
  }
}

for (const [code, make] of Object.entries(refusals)) {
  test(`what a call with ${code} was given is still the caller’s`, async (t) => {
    const pool = await make(t)
    const buffer = new ArrayBuffer(1024)
    const view = new Uint8Array(64)
    const { port1, port2 } = new MessageChannel()
    t.teardown(() => port1.close())
    const calls = [
      () => pool.run(move(buffer)),
      () => pool.run(move(view)),
      () => pool.run({ buffer }, { transferList: [buffer] }),
      () => pool.run(port2, { transferList: [port2] }),
      () => pool.runTask('hash.crc32', move(buffer)),
      () => pool.runTask('hash.crc32', buffer, { transferList: [buffer] })
    ]
    for (const call of calls) t.is((await failure(call())).code, code)
    t.is(buffer.byteLength, 1024)
    t.is(view.byteLength, 64)
    port2.postMessage('still mine')
    t.deepEqual(receiveMessageOnPort(port1), { message: 'still mine' })
  })
}

test('what is too large for a native task is still the caller’s', async (t) => {
  const pool = makePool(t, { maxThreads: 1, maxInputSize: 10 })
  const buffer = new ArrayBuffer(1024)
  for (const call of [
    () => pool.runTask('hash.crc32', move(buffer)),
    () => pool.runTask('hash.crc32', buffer, { transferList: [buffer] })
  ])
    t.is((await failure(call())).code, 'ERR_RSPOOL_INPUT_TOO_LARGE')
  t.is(buffer.byteLength, 1024)
  const small = new ArrayBuffer(4)
  await pool.runTask('hash.crc32', move(small))
  t.is(small.byteLength, 0)
})

test('room is asked for first: a getter in an input finds it taken', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1, maxQueue: 0 })
  await pool.run(0)
  let inner
  const outer = pool.run({
    get a() {
      inner ??= failure(pool.run('inner'))
      return 1
    }
  })
  t.deepEqual(await outer, { a: 1 })
  t.is((await inner).code, 'ERR_RSPOOL_QUEUE_FULL')
})

test('room for an input that fails is given back, in every way of an input', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1, maxQueue: 0 })
  await pool.run(0)
  const fails = () => ({
    get a() {
      throw new RangeError('from a getter')
    }
  })
  const { port1, port2 } = new MessageChannel()
  t.teardown(() => port1.close())
  for (const call of [
    () => pool.run(fails()),
    () => pool.run({ shared, input: fails() }),
    () => pool.run([port2, fails()], { transferList: [port2] }),
    () => pool.run({ shared, input: fails() }, { affinity: 'key' }),
    () => pool.runTask('hash.crc32', { toJSON: () => fails().a })
  ]) {
    await t.throwsAsync(call(), { message: /from a getter/ })
    t.is(await pool.run('fits'), 'fits')
  }
  port2.postMessage('still mine')
  t.deepEqual(receiveMessageOnPort(port1), { message: 'still mine' })
})

test('a pool that a getter closes takes the task whose input that was', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  await pool.run(0)
  let closed
  const last = pool.run({
    get a() {
      closed ??= pool.close()
      return 1
    }
  })
  t.deepEqual(await last, { a: 1 })
  await closed
})

test('as many are taken as there is room for, whatever carries their inputs', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, maxQueue: 2 })
  await pool.run(0)
  const calls = upTo(10).map((i) => pool.run(i % 2 === 0 ? i : [shared, i], { name: 'pause' }))
  const codes = calls.map((call) =>
    call.then(
      () => 'ok',
      ({ code }) => code
    )
  )
  gate.open()
  const outcomes = await Promise.all(codes)
  t.deepEqual(outcomes.slice(0, 3), ['ok', 'ok', 'ok'])
  t.deepEqual(new Set(outcomes.slice(3)), new Set(['ERR_RSPOOL_QUEUE_FULL']))
})

test('a port and retries do not go together, and the call says so', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const { port1, port2 } = new MessageChannel()
  t.teardown(() => port1.close())
  const error = await failure(pool.run(port2, { transferList: [port2], retries: 1 }))
  t.is(error.code, 'ERR_RSPOOL_INVALID_ARGUMENT')
  t.regex(error.message, /'retries'.*'transferList'.*ArrayBuffers/)
  port2.postMessage('still mine')
  t.deepEqual(receiveMessageOnPort(port1), { message: 'still mine' })
  const buffer = new ArrayBuffer(8)
  t.is((await pool.run(buffer, { transferList: [buffer], retries: 1 })).byteLength, 8)
})
