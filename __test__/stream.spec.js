'use strict'

const { EventEmitter, once } = require('node:events')
const { Readable } = require('node:stream')
const { pipeline } = require('node:stream/promises')
const test = require('ava')
const { collect, failure, fixture, markedPool, program, upTo, watched: watchedInputs } = require('./helpers')

const streamPool = (t, options) => markedPool(t, 'streams.js', options)
const STARTED = 0
const YIELDED = 1
const CLOSED = 2

for (const name of ['count', 'countLater']) {
  for (const highWaterMark of [1, 2, 100, undefined]) {
    test(`${name}, highWaterMark ${highWaterMark}: every item, in order`, async (t) => {
      const { pool } = streamPool(t)
      const n = highWaterMark < 100 ? 500 : 5000
      t.deepEqual(await collect(pool.stream(name, n, { highWaterMark })), { values: upTo(n) })
      t.deepEqual(await collect(pool.stream(name, 0, { highWaterMark })), { values: [] })
    })
  }

  test(`${name}: a slow consumer holds the generator back`, async (t) => {
    const { pool, marks } = streamPool(t)
    let taken = 0
    for await (const value of pool.stream(name, 400, { highWaterMark: 10 })) {
      t.is(value, taken++)
      t.true(Atomics.load(marks, YIELDED) <= taken + 10, `${Atomics.load(marks, YIELDED)} yielded, ${taken} taken`)
      if (value % 50 === 0) await pool.runTask('ping')
    }
    t.is(taken, 400)
  })

  test(`${name}: leaving the loop runs the generator's finally`, async (t) => {
    const { pool, marked } = streamPool(t, { maxThreads: 1 })
    for await (const value of pool.stream(name, Infinity)) if (value === 1000) break
    await marked(CLOSED)
    t.is(await pool.runTask('ping'), 'pong')
  })

  test(`${name}: return before the first item, and after the end`, async (t) => {
    const { pool, marks } = streamPool(t)
    const unused = pool.stream(name, 5)
    t.deepEqual(await unused.return(7), { value: 7, done: true })
    t.deepEqual(await unused.next(), { value: undefined, done: true })
    t.is(Atomics.load(marks, STARTED), 0)
    const used = pool.stream(name, 1)
    t.deepEqual(await used.next(), { value: 0, done: false })
    t.deepEqual(await used.next(), { value: undefined, done: true })
    t.deepEqual(await used.return(), { value: undefined, done: true })
  })

  test(`${name}: what is asked for at once comes in order`, async (t) => {
    const { pool } = streamPool(t)
    const iterator = pool.stream(name, 3)
    const steps = await Promise.all(upTo(5).map(() => iterator.next()))
    t.deepEqual(
      steps.map(({ value }) => value),
      [0, 1, 2, undefined, undefined]
    )
  })
}

test('functions that give an iterable, and inline generators', async (t) => {
  const { pool } = streamPool(t)
  t.deepEqual((await collect(pool.stream('array', 3))).values, [0, 1, 2])
  t.deepEqual((await collect(pool.stream('set', 3))).values, [0, 1, 2])
  t.deepEqual((await collect(pool.stream('readable', 3))).values, [0, 1, 2])
  t.deepEqual((await collect(pool.stream(undefined, [7, 8]))).values, [7, 8])
  t.deepEqual((await collect(pool.stream({ filename: fixture('streams.js'), name: 'array' }, 2))).values, [0, 1])
  const inline = function* (a, b) {
    yield a
    yield b
  }
  t.deepEqual((await collect(pool.stream(inline, [{ deep: [1] }, 'x']))).values, [{ deep: [1] }, 'x'])
})

for (const at of [0, 1, 5, 300, 2000]) {
  test(`an error after ${at} items comes after them`, async (t) => {
    const { pool } = streamPool(t)
    for (const name of ['throwsAfter', 'throwsLaterAfter']) {
      const { values, error } = await collect(pool.stream(name, at))
      t.deepEqual(values, upTo(at))
      t.true(error instanceof RangeError)
      t.is(error.detail, at)
    }
    const { values, error } = await collect(pool.stream('uncloneableAfter', at))
    t.deepEqual(values, upTo(at))
    t.is(error.name, 'DataCloneError')
  })

  test(`a worker that ends after ${at} items`, async (t) => {
    const { pool } = streamPool(t)
    const { values, error } = await collect(pool.stream('exitsAfter', at, { highWaterMark: 5000 }))
    t.deepEqual(values, upTo(values.length))
    t.is(error.code, 'ERR_RSPOOL_WORKER_EXIT')
    t.is(await pool.runTask('ping'), 'pong')
  })
}

test('moved items, and items that only a port can carry', async (t) => {
  const { pool } = streamPool(t)
  const { values } = await collect(pool.stream('buffers', 10))
  t.deepEqual(
    values.map((view) => view[3]),
    upTo(10)
  )
})

test('a function that gives no iterable, and one that is not there', async (t) => {
  const { pool } = streamPool(t)
  t.is((await collect(pool.stream('ping'))).error.code, 'ERR_RSPOOL_INVALID_ARGUMENT')
  t.is((await collect(pool.stream('nothing'))).error.code, 'ERR_RSPOOL_UNKNOWN_TASK')
  t.is((await collect(pool.stream('count', () => {}))).error.name, 'DataCloneError')
})

test('an abort ends it at once, with the reason', async (t) => {
  const { pool, marked } = streamPool(t)
  for (const [signal, abort] of [
    (() => {
      const controller = new AbortController()
      return [controller.signal, () => controller.abort('enough')]
    })(),
    (() => {
      const emitter = new EventEmitter()
      return [emitter, () => emitter.emit('abort')]
    })()
  ]) {
    const iterator = pool.stream('countLater', Infinity, { signal })
    t.is((await iterator.next()).value, 0)
    abort()
    const error = await failure(iterator.next())
    t.is(error.code, 'ABORT_ERR')
    t.deepEqual(await iterator.next(), { value: undefined, done: true })
  }
  await marked(CLOSED, 2)
  t.is((await collect(pool.stream('count', 1, { signal: AbortSignal.abort(7) }))).error.cause, 7)
})

test('a generator that waits is told through task.signal', async (t) => {
  const { pool, marked } = streamPool(t, { abortGrace: Infinity, maxThreads: 1 })
  const iterator = pool.stream('waits')
  t.is((await iterator.next()).value, 'first')
  const pending = iterator.next()
  await iterator.return()
  t.deepEqual(await pending, { value: undefined, done: true })
  await marked(CLOSED)
  t.is(await pool.runTask('ping'), 'pong')
})

test('a generator that never yields costs its worker, and no more', async (t) => {
  const { pool, marked } = streamPool(t, { abortGrace: 10, maxThreads: 1 })
  const iterator = pool.stream('spins')
  const pending = iterator.next()
  await marked(STARTED)
  await iterator.return()
  t.true((await pending).done)
  t.is(await pool.runTask('ping'), 'pong')
})

test('destroy rejects, close waits for the end', async (t) => {
  const { pool } = streamPool(t)
  const iterator = pool.stream('waits')
  t.is((await iterator.next()).value, 'first')
  const pending = failure(iterator.next())
  await pool.destroy()
  t.is((await pending).code, 'ERR_RSPOOL_POOL_CLOSED')
  t.is((await collect(pool.stream('count', 1))).error.code, 'ERR_RSPOOL_POOL_CLOSED')

  const other = streamPool(t)
  const values = other.pool.stream('count', 3000, { highWaterMark: 10 })
  await values.next()
  const closed = other.pool.close()
  t.is((await collect(values)).values.length, 2999)
  await closed
})

test('a time limit is an error after the items', async (t) => {
  const { pool } = streamPool(t, { maxThreads: 1 })
  await pool.runTask('ping')
  const { values, error } = await collect(pool.stream('waits', undefined, { timeout: 1000 }))
  t.deepEqual(values, ['first'])
  t.is(error.code, 'ERR_RSPOOL_TASK_TIMEOUT')
})

test('many streams in one worker, each with its own context', async (t) => {
  const { pool } = streamPool(t, { maxThreads: 1, concurrentTasksPerWorker: 8 })
  const all = await Promise.all(upTo(8).map((i) => collect(pool.stream('ids', 50 + i, { highWaterMark: 3 }))))
  for (const [i, { values }] of all.entries()) {
    t.is(values.length, 50 + i)
    t.is(new Set(values).size, 1)
  }
  t.is(new Set(all.map(({ values }) => values[0])).size, 8)
})

test('progress comes beside the items', async (t) => {
  const { pool } = streamPool(t)
  const seen = []
  await collect(pool.stream('progress', 3, { onProgress: (value) => seen.push(value) }))
  t.deepEqual(seen, [0, 1, 2])
})

// ---- inputs --------------------------------------------------------------------------------------

const watched = (n, options) => watchedInputs(n, { async: true, ...options })

for (const async of [true, false]) {
  const kind = async ? 'an async' : 'a sync'

  test(`${kind} input is read item by item, no further than there is room`, async (t) => {
    const { pool } = streamPool(t)
    for (const highWaterMark of [1, 10, 2000]) {
      const source = watched(600, { async })
      let taken = 0
      for await (const value of pool.stream('doubles', source.inputs, { highWaterMark })) {
        t.is(value, 2 * taken++)
        t.true(source.pulled <= taken + 2 * highWaterMark + 2)
      }
      t.is(taken, 600)
      await source.closing
      t.is(source.closed, 1)
    }
    t.deepEqual(await collect(pool.stream('doubles', watched(0, { async }).inputs)), { values: [] })
  })

  test(`${kind} input that throws does so in the generator`, async (t) => {
    const { pool } = streamPool(t)
    const { values, error } = await collect(pool.stream('doubles', watched(100, { async, throwAt: 50 }).inputs))
    t.is(values.length, 50)
    t.true(error instanceof RangeError)
    t.is(error.message, 'from the source')
    t.deepEqual((await collect(pool.stream('catches', watched(9, { async, throwAt: 2 }).inputs))).values, [
      0,
      1,
      'from the source'
    ])
  })

  test(`${kind} input is closed when it is wanted no more`, async (t) => {
    const { pool } = streamPool(t)
    const left = watched(Infinity, { async })
    for await (const value of pool.stream('doubles', left.inputs)) if (value === 20) break
    await left.closing
    t.is(left.closed, 1)
    const first = watched(Infinity, { async })
    t.deepEqual((await collect(pool.stream('firstThree', first.inputs))).values, [0, 1, 2, 'rest'])
    await first.closing
    t.is(first.closed, 1)
    const dead = watched(Infinity, { async })
    t.is((await collect(pool.stream('exitsAt', dead.inputs))).error.code, 'ERR_RSPOOL_WORKER_EXIT')
    await dead.closing
    t.is(dead.closed, 1)
    const thrown = watched(Infinity, { async })
    t.is((await collect(pool.stream('throwsAt', thrown.inputs))).error.message, 'enough')
    await thrown.closing
    t.is(thrown.closed, 1)
  })
}

test('an input item that cannot be cloned is an error of the input', async (t) => {
  const { pool } = streamPool(t)
  async function* inputs() {
    yield 1
    yield () => {}
  }
  const { values, error } = await collect(pool.stream('doubles', inputs()))
  t.deepEqual(values, [2])
  t.is(error.name, 'DataCloneError')
})

// ---- pipe ----------------------------------------------------------------------------------------

test('a pipe between two streams', async (t) => {
  const { pool } = streamPool(t)
  const seen = []
  await pipeline(Readable.from(upTo(3000)), pool.pipe('doubles'), async function (source) {
    for await (const value of source) seen.push(value)
  })
  t.deepEqual(
    seen,
    upTo(3000).map((n) => 2 * n)
  )
})

test('a pipe whose generator stops early, throws, or dies', async (t) => {
  const { pool } = streamPool(t)
  const seen = []
  await pipeline(Readable.from(upTo(3000)), pool.pipe('firstThree'), async function (source) {
    for await (const value of source) seen.push(value)
  })
  t.deepEqual(seen, [0, 1, 2, 'rest'])
  for (const [name, code] of [
    ['throwsAt', 'E_ENOUGH'],
    ['exitsAt', 'ERR_RSPOOL_WORKER_EXIT'],
    ['yieldsNull', 'ERR_RSPOOL_INVALID_ARGUMENT'],
    ['nothing', 'ERR_RSPOOL_UNKNOWN_TASK']
  ]) {
    const duplex = pool.pipe(name)
    const error = await failure(pipeline(Readable.from(upTo(3000)), duplex, async (source) => collect(source)))
    t.is(error.code, code, name)
    t.true(duplex.destroyed)
  }
})

test('a pipe that is destroyed stops its generator', async (t) => {
  const { pool, marked } = streamPool(t)
  const duplex = pool.pipe('doubles')
  duplex.write(1)
  t.is((await once(duplex, 'data'))[0], 2)
  duplex.destroy()
  await once(duplex, 'close')
  await marked(CLOSED)
  const failing = pool.pipe('doubles')
  failing.write(1)
  await once(failing, 'data')
  failing.destroy(new RangeError('gone'))
  t.is((await once(failing, 'error'))[0].message, 'gone')
})

test('a pipe that nobody reads from takes what fits, and ends', async (t) => {
  const { pool } = streamPool(t)
  const duplex = pool.pipe('counts')
  for (const n of upTo(100)) duplex.write(n)
  duplex.end()
  await once(duplex, 'finish')
  t.deepEqual(await duplex.toArray(), [100])
})

test('bad arguments throw at once', async (t) => {
  const { pool } = streamPool(t)
  const code = 'ERR_RSPOOL_INVALID_ARGUMENT'
  for (const options of [
    { highWaterMark: 0 },
    { highWaterMark: '5' },
    { signal: 5 },
    { chunk: 5 },
    { timeout: -1 },
    7
  ]) {
    t.throws(() => pool.stream('count', 1, options), { code })
    t.throws(() => pool.pipe('count', options), { code })
  }
  t.throws(() => pool.stream('count', 1, { deadline: {} }), { code })
  t.throws(() => pool.stream('count', 1, { retries: 1 }), { code })
  t.throws(() => pool.stream('hash.crc32', 'x'), { code, message: /native/ })
  t.throws(() => pool.stream({}, 'x'), { code })
  t.throws(() => pool.stream('count', 1, { highWatermark: 1 }), { code, message: /Did you mean 'highWaterMark'/ })
})

test('a deadline ends a stream', async (t) => {
  const { pool } = streamPool(t, { abortGrace: 0 })
  await pool.ready()
  const spinning = pool.stream('spins', undefined, { deadline: Date.now() + 20 })
  const take = async () => {
    for await (const _ of spinning);
  }
  await t.throwsAsync(take(), { code: 'ERR_RSPOOL_DEADLINE' })
})

test('nothing is left that keeps the process', async (t) => {
  const { code, stdout } = await program(`
    const marks = new Int32Array(new SharedArrayBuffer(16))
    const pool = new rspool.Pool({ filename: fixture('streams.js'), maxThreads: 2, workerData: { marks }, abortGrace: 60_000 })
    ;(async () => {
      for await (const n of pool.stream('count', Infinity)) if (n === 5000) break
      for await (const n of pool.stream('count', 5000)) continue
      for await (const n of pool.stream('throwsAfter', 3)) continue
    })().catch((error) => console.log(error.name))
    pool.stream('count', 5)
    pool.pipe('doubles')
  `)
  t.is(code, 0)
  t.is(stdout, 'RangeError\n')
})

test('a stream that is left open keeps no process, and one that is waited for does', async (t) => {
  const source = (then) => `
    const pool = new rspool.Pool({ filename: fixture('streams.js'), maxThreads: 2, workerData: { marks: new Int32Array(4) } })
    const numbers = pool.stream('countLater', 1e6)
    numbers.next().then(async ({ value }) => {
      console.log(value)
      ${then}
    })`
  const left = await program(source('setTimeout(() => {}, 50)'))
  t.deepEqual([left.code, left.signal, left.stdout], [0, null, '0\n'])
  const read = await program(source('let n = 1; for await (const _ of numbers) n++; console.log(n)'))
  t.deepEqual([read.code, read.stdout], [0, '0\n1000000\n'])
})
