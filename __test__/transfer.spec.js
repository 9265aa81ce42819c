'use strict'

const { MessageChannel } = require('node:worker_threads')
const { once } = require('node:events')
const crypto = require('node:crypto')
const test = require('ava')
const { move } = require('../index.js')
const { transferableSymbol, valueSymbol } = require('../piscina.js')
const { failure, taskPool } = require('./helpers')

test('a transferList that holds what cannot be transferred rejects, and harms nothing', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  for (const transferList of [[{}], [1], ['x'], [null], [new Uint8Array(1)], [new SharedArrayBuffer(1)]]) {
    for (const run of [() => pool.run(1, { transferList }), () => pool.runTask('hash.crc32', 'a', { transferList })]) {
      const error = await failure(run())
      t.true(error instanceof TypeError || error.name === 'DataCloneError', error.stack)
    }
  }
  const running = pool.runTask('block')
  await gate.arrival()
  t.truthy(await failure(pool.run(1, { transferList: [{}] })))
  gate.open()
  await running
  t.is(await pool.run(1), 1)
  t.is(pool.stats().queued, 0)
})

test('the same buffer twice in a transferList rejects', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const buffer = new ArrayBuffer(8)
  t.is((await failure(pool.run(buffer, { transferList: [buffer, buffer] }))).name, 'DataCloneError')
  t.is(buffer.byteLength, 8)
})

for (const state of ['idle', 'busy', 'cold']) {
  test(`memory is handed over, to a worker that is ${state}`, async (t) => {
    const { pool, gate } = taskPool(t, { maxThreads: 1 })
    let running
    if (state !== 'cold') await pool.run(1)
    if (state === 'busy') {
      running = pool.runTask('block')
      await gate.arrival()
    }
    const view = new Uint8Array(1_000_000).fill(7)
    const promise = pool.run({ view, text: 'also' }, { transferList: [view.buffer] })
    t.is(view.byteLength, 0)
    gate.open()
    const back = await promise
    t.is(back.view.byteLength, 1_000_000)
    t.true(back.view.every((byte) => byte === 7))
    t.is(back.text, 'also')
    await running
  })
}

test('a port is handed over, and works', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const { port1, port2 } = new MessageChannel()
  const answer = once(port1, 'message')
  await pool.runTask(
    ({ port }) => {
      port.postMessage('hello')
      port.close()
    },
    { port: port2 },
    { transferList: [port2] }
  )
  t.deepEqual(await answer, ['hello'])
  port1.close()
})

test('a port that is not in the transferList rejects', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const { port1, port2 } = new MessageChannel()
  t.teardown(() => port1.close())
  const error = await failure(pool.run({ port: port2 }))
  t.true(error instanceof TypeError || error.name === 'DataCloneError')
  t.is(await pool.run(1), 1)
})

test('a native task takes over memory too', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const view = new Uint8Array(1000).fill(1)
  const expected = crypto.createHash('sha256').update(view).digest()
  const promise = pool.runTask('hash.sha256', view, { transferList: [view.buffer] })
  t.is(view.byteLength, 0)
  t.deepEqual(await promise, expected)
})

test('move hands over a result', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const result = await pool.runTask('moved', 1_000_000)
  t.is(result.byteLength, 1_000_000)
  t.is(result[999_999], 7)
  const gone = await pool.runTask(() => {
    const { move } = require('../lib/worker/api.js')
    globalThis.kept = new Uint8Array(10)
    return move(globalThis.kept)
  })
  t.is(gone.byteLength, 10)
  t.is(await pool.runTask(() => globalThis.kept.byteLength), 0)
})

test('move with a list hands over what is in it', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const result = await pool.runTask(() => {
    const { move } = require('../lib/worker/api.js')
    globalThis.inner = new Uint8Array(10).fill(3)
    return move({ inner: globalThis.inner }, [globalThis.inner.buffer])
  })
  t.deepEqual([...result.inner], new Array(10).fill(3))
  t.is(await pool.runTask(() => globalThis.inner.byteLength), 0)
})

test('move of what cannot be moved rejects that task', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const bad = () => require('../lib/worker/api.js').move({ plain: true })
  t.truthy(await failure(pool.runTask(bad)))
  t.is(await pool.run(1), 1)
})

test('an aborted or refused task still takes what was handed over', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  const running = pool.runTask('block')
  await gate.arrival()
  const controller = new AbortController()
  const buffer = new ArrayBuffer(10)
  const promise = pool.run(buffer, { transferList: [buffer], signal: controller.signal })
  t.is(buffer.byteLength, 0)
  controller.abort()
  await t.throwsAsync(promise, { code: 'ABORT_ERR' })
  gate.open()
  await running
  t.is(await pool.run(3), 3)
})

test('a hundred moved results do not mix with the others', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 2 })
  const results = await Promise.all(
    Array.from({ length: 200 }, (_, n) => (n % 2 ? pool.runTask('moved', n + 1) : pool.run(n)))
  )
  for (const [n, result] of results.entries()) t.is(n % 2 ? result.byteLength - 1 : result, n)
})

test('a moved input is handed over, to every kind of target', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const bytes = new Uint8Array(8).fill(5)
  t.deepEqual([...(await pool.run(move(bytes)))], [...new Uint8Array(8).fill(5)])
  t.is(bytes.byteLength, 0)

  const inner = new Uint8Array(3)
  const other = new ArrayBuffer(4)
  const back = await pool.run(move({ inner, other }, [inner.buffer]), { transferList: [other] })
  t.is(back.inner.byteLength + back.other.byteLength, 7)
  t.is(inner.byteLength + other.byteLength, 0)

  const text = Buffer.alloc(5, 'a')
  const sum = await pool.runTask('hash.crc32', 'aaaaa')
  const moved = new Uint8Array(text).buffer
  t.deepEqual(await pool.runTask('hash.crc32', move(moved)), sum)
  t.is(moved.byteLength, 0)
})

/** Says itself what is moved. */
class Picture {
  constructor(pixels) {
    this.pixels = pixels
    this.cache = () => {}
  }

  get [transferableSymbol]() {
    return [this.pixels.buffer]
  }

  get [valueSymbol]() {
    return { pixels: this.pixels }
  }
}

test('an object that says itself what is moved is moved by that, in and out', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const picture = new Picture(new Uint8Array(4).fill(9))
  t.deepEqual(await pool.run(move(picture)), { pixels: new Uint8Array(4).fill(9) })
  t.is(picture.pixels.byteLength, 0)

  const result = await pool.runTask(() => {
    const { move } = require('../lib/worker/api.js')
    const { transferableSymbol, valueSymbol } = require('../piscina.js')
    globalThis.box = { buffer: new ArrayBuffer(6) }
    return move({
      [transferableSymbol]: globalThis.box.buffer,
      [valueSymbol]: globalThis.box
    })
  })
  t.is(result.buffer.byteLength, 6)
  t.is(await pool.runTask(() => globalThis.box.buffer.byteLength), 0)
})

test('a moved value can be moved on, and a primitive is nothing to move', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const buffer = new ArrayBuffer(2)
  t.is((await pool.run(move(move(buffer)))).byteLength, 2)
  t.is(buffer.byteLength, 0)
  for (const value of [1, 'x', null, undefined, true, 2n]) t.is(move(value), value)
})
