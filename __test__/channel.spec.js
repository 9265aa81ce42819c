'use strict'

// A task and a port to it: messages both ways, and an end with the task, however that ends.

const { once } = require('node:events')
const test = require('ava')
const { failure, fixture, makePool, program, rspool } = require('./helpers')

const channelPool = (t, options) =>
  makePool(t, { filename: fixture('channels.js'), maxThreads: 1, abortGrace: 0, ...options })

/** All that comes until the port is closed. */
async function received(port) {
  const messages = []
  port.on('message', (message) => messages.push(message))
  await once(port, 'close')
  return messages
}

test('messages go both ways until the task ends', async (t) => {
  const pool = channelPool(t)
  const { port, result } = pool.channel('echo', 'you said')
  port.postMessage('hello')
  t.deepEqual(await once(port, 'message'), ['you said hello'])
  port.postMessage('again')
  t.deepEqual(await once(port, 'message'), ['you said again'])
  const closed = once(port, 'close')
  port.postMessage('end')
  t.is(await result, 'ended')
  await closed
  t.is(await pool.runTask('id', 'works on'), 'works on')
})

test('what was sent before the end arrives, however it ends', async (t) => {
  const pool = channelPool(t)
  const many = pool.channel('sends', 1000)
  t.deepEqual(
    await received(many.port),
    Array.from({ length: 1000 }, (_, i) => i)
  )
  t.is(await many.result, 'sent')
  const thrown = pool.channel('sendsAndThrows')
  const error = failure(thrown.result)
  t.deepEqual(await received(thrown.port), ['before'])
  t.is((await error).code, 'E_AFTER')
  const dead = pool.channel('exits', 4)
  const exit = failure(dead.result)
  t.deepEqual(await received(dead.port), ['last words'])
  t.is((await exit).exitCode, 4)
})

test('memory is moved through it, and with the input and the result', async (t) => {
  const pool = channelPool(t)
  const { port, result } = pool.channel('adds')
  const numbers = new Float64Array([1, 2, 3.5])
  port.postMessage(numbers, [numbers.buffer])
  t.is(numbers.length, 0)
  t.deepEqual(await once(port, 'message'), [new Float64Array([6.5])])
  t.is(await result, 0)
  for (const give of [
    (buffer) => pool.channel('moved', buffer, { transferList: [buffer] }),
    (buffer) => pool.channel('moved', rspool.move(buffer))
  ]) {
    const buffer = new ArrayBuffer(16)
    t.is((await give(buffer).result).byteLength, 16)
    t.is(buffer.byteLength, 0)
  }
})

test('an abort and a time limit close it at once, and the task hears of it', async (t) => {
  const pool = channelPool(t, { abortGrace: 60_000 })
  const controller = new AbortController()
  const heard = []
  const { port, result } = pool.channel('closes', null, {
    signal: controller.signal,
    onProgress: (value) => heard.push(value)
  })
  const rejected = failure(result)
  await once(port, 'message')
  const closed = once(port, 'close')
  controller.abort()
  t.is((await rejected).code, 'ABORT_ERR')
  await closed
  // The isolate is free again only when the task has ended, which it did because its port was closed.
  t.is(await pool.runTask('id', 'next'), 'next')
  const late = pool.channel('closes', null, { timeout: 20 })
  const timedOut = failure(late.result)
  await once(late.port, 'close')
  t.is((await timedOut).code, 'ERR_RSPOOL_TASK_TIMEOUT')
  t.is(await pool.runTask('id', 'next'), 'next')
})

test('one that never ran is closed', async (t) => {
  const pool = channelPool(t)
  await pool.ready()
  pool.pause()
  const waited = pool.channel('sends', 1, { queueTimeout: 5 })
  const error = failure(waited.result)
  await once(waited.port, 'close')
  t.is((await error).code, 'ERR_RSPOOL_QUEUE_TIMEOUT')
  const cancelled = pool.channel('sends', 1)
  const reason = failure(cancelled.result)
  pool.cancelQueued()
  await once(cancelled.port, 'close')
  t.is((await reason).code, 'ABORT_ERR')
  pool.resume()
  const broken = makePool(t, { filename: '/no/such.js', maxThreads: 1 }).channel(undefined, 1)
  const start = failure(broken.result)
  await once(broken.port, 'close')
  t.is((await start).code, 'ERR_RSPOOL_WORKER_START')
})

test('destroying the pool closes it', async (t) => {
  const pool = channelPool(t)
  const { port, result } = pool.channel('hangs')
  const error = failure(result)
  await once(port, 'message')
  const closed = once(port, 'close')
  await pool.destroy()
  await closed
  t.is((await error).code, 'ERR_RSPOOL_POOL_CLOSED')
  const after = pool.channel('hangs')
  const refused = failure(after.result)
  await once(after.port, 'close')
  t.is((await refused).code, 'ERR_RSPOOL_POOL_CLOSED')
})

test('any other task has no port, and inline functions may have one', async (t) => {
  const pool = channelPool(t)
  t.false(await pool.runTask('hasPort'))
  t.true(await pool.channel('hasPort').result)
  const { port, result } = pool.channel(
    (text) => {
      require('../lib/worker/api').task.port.postMessage(text)
      return text.length
    },
    ['four']
  )
  t.deepEqual(await received(port), ['four'])
  t.is(await result, 4)
})

test('bad arguments throw at once', async (t) => {
  const pool = channelPool(t)
  const code = 'ERR_RSPOOL_INVALID_ARGUMENT'
  for (const options of [{ retries: 1 }, { timeout: 0 }, { signal: {} }, { onProgress: 1 }, { nothing: 1 }, 7])
    t.throws(() => pool.channel('id', 1, options), { code })
  t.throws(() => pool.channel('hash.crc32', 'x'), { code, message: /native/ })
  t.throws(() => pool.channel({}, 1), { code })
  t.throws(() => pool.channel('no.such', 1), { code: 'ERR_RSPOOL_UNKNOWN_TASK' })
  const uncloneable = pool.channel('id', () => {})
  t.is((await failure(uncloneable.result)).name, 'DataCloneError')
})

test('a port that is listened to keeps neither the worker nor the process beyond the task', async (t) => {
  const { code, stdout } = await program(`
    const pool = new rspool.Pool({ filename: fixture('channels.js'), maxThreads: 1 })
    const { port, result } = pool.channel('leaves')
    port.on('message', () => {})
    result.then(console.log)
    port.on('close', async () => {
      await pool.close()
      console.log('closed')
    })`)
  t.deepEqual([code, stdout], [0, 'left\nclosed\n'])
})
