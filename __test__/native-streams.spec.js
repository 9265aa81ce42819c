'use strict'

// `pool.stream` of native tasks: chunks come in order while the task runs, no more than the reader has room for, and a
// task that waits for its reader keeps no place of the pool.

process.env.RSPOOL_TEST_TASKS = '1'

const { EventEmitter } = require('node:events')
const test = require('ava')
const { AtomicCounters, loadTasks } = require('..')
const { collect, failure, makePool, program, upTo } = require('./helpers')
const { sample } = require('./sample')

test.before(() => loadTasks(sample))

/** Until a task has emitted this many chunks. */
async function emitted(counters, count) {
  while (counters.get('rows') < count) await new Promise(setImmediate)
}

/** Until no worker of a pool is busy. */
async function atRest(pool) {
  while (pool.stats().workers.some(({ state }) => state === 'busy')) await new Promise(setImmediate)
}

for (const highWaterMark of [1, 2, 100, undefined]) {
  test(`highWaterMark ${highWaterMark}: every chunk, in order`, async (t) => {
    const pool = makePool(t, { maxThreads: 2 })
    const options = { highWaterMark }
    t.deepEqual(await collect(pool.stream('test.emit', 1000, options)), { values: upTo(1000) })
    t.deepEqual(await collect(pool.stream('test.emit', 0, options)), { values: [] })
  })
}

test('chunks are values of any kind', async (t) => {
  const pool = makePool(t)
  const { values } = await collect(pool.stream('sample.kinds'))
  t.deepEqual(values, [
    new Float64Array([1.5, 2.5]),
    { keys: new Uint32Array([1]), sums: new Float64Array([2]), name: 'x'.repeat(100_000) },
    Buffer.alloc(100_000, 7),
    'grüße',
    undefined,
    [true, false]
  ])
})

test('a task may give its result both ways', async (t) => {
  const pool = makePool(t)
  t.deepEqual(await collect(pool.stream('sample.lines', 'a\nb\nc')), { values: ['a', 'b', 'c'] })
  t.is(await pool.runTask('sample.lines', 'a\nb\nc'), 3)
})

test('a task that only emits says how it is to be called', async (t) => {
  const pool = makePool(t)
  const error = await failure(pool.runTask('test.emit', 3))
  t.is(error.code, 'ERR_RSPOOL_NOT_A_STREAM')
  t.is(error.message, 'test.emit: this task gives its result as chunks: call it by pool.stream()')
  t.is((await failure(collectMap(pool.map([3], 'test.emit')))).code, 'ERR_RSPOOL_NOT_A_STREAM')
})

async function collectMap(results) {
  const all = []
  for await (const result of results) all.push(result)
  return all
}

test('a slow reader holds the task back, which keeps no place meanwhile', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const counters = new AtomicCounters(['rows'])
  let taken = 0
  for await (const value of pool.stream('test.emit', 200, { highWaterMark: 10, counters })) {
    t.is(value, taken++)
    t.true(counters.get('rows') <= taken + 10, `${counters.get('rows')} emitted, ${taken} taken`)
    if (value % 50 === 0) t.is(await pool.runTask('test.echo', value), value)
  }
  t.is(taken, 200)
})

test('many streams share one place, whether or not they are read', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const streams = upTo(20).map((i) => pool.stream('test.emit', 300 + i, { highWaterMark: 1 + (i % 5) }))
  const firsts = await Promise.all(streams.map((stream) => stream.next()))
  t.true(firsts.every(({ value }) => value === 0))
  await atRest(pool)
  t.is(await pool.runTask('test.echo', 7), 7)
  const all = await Promise.all(streams.map(collect))
  for (const [i, { values, error }] of all.entries()) {
    t.is(error, undefined)
    t.deepEqual(values, upTo(300 + i).slice(1))
  }
})

test('large chunks come one after another, whatever the highWaterMark', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const counters = new AtomicCounters(['rows'])
  const params = { bytes: 3 << 20 }
  let taken = 0
  for await (const chunk of pool.stream('test.emit', 8, { params, counters, highWaterMark: 100 })) {
    t.true(Buffer.isBuffer(chunk))
    t.deepEqual([chunk.length, chunk[0], chunk.at(-1)], [3 << 20, taken, taken])
    taken++
    t.true(counters.get('rows') <= taken + 1)
  }
  t.is(taken, 8)
})

test('a reader that leaves ends the task, and the next one has its worker', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  for (let i = 0; i < 20; i++) {
    let read = 0
    for await (const value of pool.stream('test.emit', 4e9)) if (value === 10 && ++read) break
    t.is(read, 1)
    t.is(await pool.runTask('test.echo', i), i)
  }
  t.is(pool.stats().workers.length, 1)
  await pool.close()
})

test('return before the first chunk, and after the end', async (t) => {
  const pool = makePool(t)
  const unused = pool.stream('test.emit', 5)
  t.deepEqual(await unused.return(7), { value: 7, done: true })
  t.deepEqual(await unused.next(), { value: undefined, done: true })
  t.is(pool.stats().completed, 0)
  const used = pool.stream('test.emit', 1)
  t.deepEqual(await used.next(), { value: 0, done: false })
  t.deepEqual(await used.next(), { value: undefined, done: true })
  t.deepEqual(await used.return(), { value: undefined, done: true })
})

test('chunks that are asked for at once come in order', async (t) => {
  const pool = makePool(t)
  const iterator = pool.stream('test.emit', 3)
  const steps = await Promise.all(upTo(5).map(() => iterator.next()))
  t.deepEqual(
    steps.map(({ value }) => value),
    [0, 1, 2, undefined, undefined]
  )
})

for (const at of [0, 1, 5, 300]) {
  test(`a panic after ${at} chunks comes after them`, async (t) => {
    const pool = makePool(t, { maxThreads: 1 })
    const { values, error } = await collect(pool.stream('test.emit', 1000, { params: { panicAt: at } }))
    t.deepEqual(values, upTo(at))
    t.is(error.code, 'ERR_RSPOOL_TASK_PANIC')
    t.true(error.message.includes(`asked to, before ${at}`), error.message)
    t.is(await pool.runTask('test.echo', 1), 1)
  })
}

test('an abort ends it at once, with the reason', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const controller = new AbortController()
  const emitter = new EventEmitter()
  for (const [signal, abort] of [
    [controller.signal, () => controller.abort('enough')],
    [emitter, () => emitter.emit('abort')]
  ]) {
    const iterator = pool.stream('test.emit', 4e9, { signal })
    t.is((await iterator.next()).value, 0)
    abort()
    t.is((await failure(iterator.next())).code, 'ABORT_ERR')
    t.deepEqual(await iterator.next(), { value: undefined, done: true })
  }
  t.is((await collect(pool.stream('test.emit', 1, { signal: AbortSignal.abort(7) }))).error.cause, 7)
  t.is(await pool.runTask('test.echo', 1), 1)
})

test('a time limit ends a stream that waits for its reader, and the error comes after the chunks', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const stream = pool.stream('test.emit', 4e9, { timeout: 50, highWaterMark: 3 })
  const first = stream.next()
  while (pool.stats().failed === 0) await new Promise(setImmediate)
  const { values, error } = await collect(withFirst(first, stream))
  t.true(values.length <= 4)
  t.deepEqual(values, upTo(values.length))
  t.is(error.code, 'ERR_RSPOOL_TASK_TIMEOUT')
  t.is(await pool.runTask('test.echo', 1), 1)
})

async function* withFirst(first, stream) {
  yield (await first).value
  yield* stream
}

test('destroy rejects the reader, close waits for the end', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const stream = pool.stream('test.emit', 4e9, { highWaterMark: 2 })
  t.is((await stream.next()).value, 0)
  await atRest(pool)
  await pool.destroy()
  t.is((await collect(stream)).error.code, 'ERR_RSPOOL_POOL_CLOSED')
  t.is((await collect(pool.stream('test.emit', 1))).error.code, 'ERR_RSPOOL_POOL_CLOSED')

  const other = makePool(t, { maxThreads: 1 })
  const values = other.stream('test.emit', 500, { highWaterMark: 3 })
  t.is((await values.next()).value, 0)
  await atRest(other)
  const closed = other.close()
  t.is((await collect(values)).values.length, 499)
  await closed
})

test('a stream goes on while its pool is paused or gets another size', async (t) => {
  const pool = makePool(t, { maxThreads: 2 })
  const stream = pool.stream('test.emit', 300, { highWaterMark: 2 })
  t.is((await stream.next()).value, 0)
  pool.pause()
  for (const value of upTo(50)) t.is((await stream.next()).value, value + 1)
  pool.resume()
  pool.resize({ maxThreads: 1 })
  for (const value of upTo(50)) t.is((await stream.next()).value, value + 51)
  t.is((await collect(stream)).values.length, 199)
  await atRest(pool)
})

test('runSync within the loop does no harm', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  let taken = 0
  for await (const value of pool.stream('test.emit', 100, { highWaterMark: 4 })) {
    t.is(value, taken++)
    t.is(pool.runTaskSync('test.echo', value), value)
  }
  t.is(taken, 100)
})

test('the transferred input of a stream is moved', async (t) => {
  const pool = makePool(t)
  const text = new TextEncoder().encode('one\ntwo\n'.repeat(10_000))
  const { values } = await collect(pool.stream('sample.lines', text, { transferList: [text.buffer] }))
  t.is(values.length, 20_000)
  t.is(text.length, 0)
})

test('a chunk is sent only from where the task runs', async (t) => {
  const pool = makePool(t, { maxThreads: 4 })
  const { values, error } = await collect(pool.stream('sample.elsewhere'))
  t.is(error, undefined)
  t.is(values.length, 2)
  for (const value of values) t.regex(value, /only on the thread of the task/)
})

test('bad arguments throw at once', (t) => {
  const pool = makePool(t)
  const code = 'ERR_RSPOOL_INVALID_ARGUMENT'
  for (const options of [{ highWaterMark: 0 }, { signal: 5 }, { affinity: 'x' }, { retries: 1 }, { params: 5 }, 7])
    t.throws(() => pool.stream('test.emit', 1, options), { code })
  t.throws(() => pool.stream('hash.crc32', 'x'), { code, message: /'hash\.crc32' gives one result/ })
  t.throws(() => pool.stream('test.emit', [1][Symbol.iterator]()), { code, message: /takes one input/ })
  t.throws(() => pool.pipe('test.emit'), { code, message: /takes one input/ })
  t.throws(() => pool.stream('test.emit', 1, { bytes: 5 }), { code })
  t.throws(() => pool.stream('test.emt', 1), { code: 'ERR_RSPOOL_UNKNOWN_TASK', message: /test\.emit/ })
})

test('an input that the task does not take is an error of the stream', async (t) => {
  const pool = makePool(t)
  const { values, error } = await collect(pool.stream('test.emit', 'many'))
  t.deepEqual(values, [])
  t.is(error.code, 'ERR_RSPOOL_INVALID_ARGUMENT')
})

test('counters tell that the task of a stream has ended', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const counters = new AtomicCounters(['rows', 'done'])
  const stream = pool.stream('test.emit', 50, { counters, highWaterMark: 100 })
  t.is((await stream.next()).value, 0)
  await emitted(counters, 50)
  t.is((await collect(stream)).values.length, 49)
  t.is(counters.get('done'), 1)
})

test('a stream that is left open keeps no process, and one that is waited for does', async (t) => {
  const env = { ...process.env, RSPOOL_TEST_TASKS: '1' }
  const source = (then) => `
    const pool = new rspool.Pool({ maxThreads: 2 })
    const numbers = pool.stream('test.emit', 100000)
    numbers.next().then(async ({ value }) => {
      console.log(value)
      ${then}
    })`
  const left = await program(source(''), { env })
  t.deepEqual([left.code, left.signal, left.stdout], [0, null, '0\n'])
  const read = await program(source('let n = 1; for await (const _ of numbers) n++; console.log(n)'), { env })
  t.deepEqual([read.code, read.stdout], [0, '0\n100000\n'])
})

test('a worker thread that ends leaves none of its streams behind', async (t) => {
  const env = { ...process.env, RSPOOL_TEST_TASKS: '1' }
  const { code, stdout } = await program(
    `
    const { Worker } = require('node:worker_threads')
    const worker = new Worker(
      \`
      const { Pool } = require('\${process.env.RSPOOL_ROOT}')
      const { parentPort } = require('node:worker_threads')
      const pool = new Pool({ maxThreads: 1 })
      const streams = Array.from({ length: 5 }, () => pool.stream('test.emit', 4e9, { highWaterMark: 3 }))
      Promise.all(streams.map((stream) => stream.next())).then((all) => parentPort.postMessage(all.length))
      parentPort.on('message', () => {})
      \`,
      { eval: true }
    )
    worker.once('message', async (many) => {
      await worker.terminate()
      console.log(many)
    })
  `,
    { env: { ...env, RSPOOL_ROOT: require('node:path').join(__dirname, '..') } }
  )
  t.deepEqual([code, stdout], [0, '5\n'])
})
