'use strict'

const { EventEmitter } = require('node:events')
const test = require('ava')
const { collect, failure, fixture, markedPool, program, stayAlive, taskPool, upTo, watched } = require('./helpers')

const callPool = (t, options) => markedPool(t, 'calls.js', options)

for (const chunk of ['auto', 1, 7]) {
  for (const async of [false, true]) {
    const name = `chunk ${chunk}, ${async ? 'an async' : 'a sync'} source`

    test(`${name}: all results, in the order of the inputs`, async (t) => {
      const { pool } = callPool(t)
      const { inputs } = watched(2000, { async })
      const { values, error } = await collect(pool.map(inputs, 'square', { chunk }))
      t.is(error, undefined)
      t.deepEqual(
        values,
        upTo(2000).map((n) => n * n)
      )
    })

    test(`${name}: empty`, async (t) => {
      const { pool } = callPool(t)
      const { inputs } = watched(0, { async })
      t.deepEqual(await collect(pool.map(inputs, 'square', { chunk })), { values: [] })
    })

    test(`${name}: an error at an input comes after the results before it, and closes the source`, async (t) => {
      const { pool } = callPool(t)
      const source = watched(Infinity, { async })
      const { values, error } = await collect(pool.map(source.inputs, 'throwsAt7', { chunk }))
      t.deepEqual(values, upTo(7))
      t.true(error instanceof RangeError)
      t.is(error.message, 'seven')
      await source.closing
      t.is(source.closed, 1)
      t.is(await pool.run(4), 8)
    })

    test(`${name}: a source that throws ends it after the inputs before`, async (t) => {
      const { pool } = callPool(t)
      const { inputs } = watched(100, { async, throwAt: 50 })
      const { values, error } = await collect(pool.map(inputs, 'square', { chunk }))
      t.is(values.length, 50)
      t.is(error.message, 'from the source')
    })

    test(`${name}: return closes the source and cancels what is in flight`, async (t) => {
      const { pool } = callPool(t)
      const source = watched(Infinity, { async })
      for await (const value of pool.map(source.inputs, 'square', { chunk })) if (value === 81) break
      await source.closing
      t.is(source.closed, 1)
      const { pulled } = source
      t.is(await pool.run(4), 8)
      t.is(source.pulled, pulled)
      await pool.close()
    })
  }

  test(`chunk ${chunk}: stopOnError false gives the others, then all errors`, async (t) => {
    const { pool } = callPool(t)
    const { values, error } = await collect(pool.map(upTo(100), 'evenOnly', { chunk, stopOnError: false }))
    t.deepEqual(
      values,
      upTo(100).filter((n) => n % 2 === 0)
    )
    t.true(error instanceof AggregateError)
    t.deepEqual(
      error.errors.map(({ n }) => n),
      upTo(100).filter((n) => n % 2 === 1)
    )
  })

  test(`chunk ${chunk}: a worker that exits ends it with the contract's code`, async (t) => {
    const { pool } = callPool(t)
    const source = watched(Infinity)
    const { error } = await collect(pool.map(source.inputs, 'exitsAt7', { chunk }))
    t.is(error.code, 'ERR_RSPOOL_WORKER_EXIT')
    t.is(error.exitCode, 3)
    await source.closing
    t.is(source.closed, 1)
    t.is(await pool.run(4), 8)
  })

  test(`chunk ${chunk}: a result or an input that cannot be cloned fails alone`, async (t) => {
    const { pool } = callPool(t)
    const results = await pool.settled(upTo(20), 'uncloneableAt7', { chunk })
    t.deepEqual(
      results.map(({ status, value }) => (status === 'fulfilled' ? value : status)),
      upTo(20).map((n) => (n === 7 ? 'rejected' : n))
    )
    t.is(results[7].reason.name, 'DataCloneError')
    const given = [...upTo(10), () => {}, ...upTo(10)]
    const inputs = await pool.settled(given, 'square', { chunk })
    t.deepEqual(
      inputs.flatMap(({ reason }, i) => (reason === undefined ? [] : [i, reason.name])),
      [10, 'DataCloneError']
    )
    t.is(inputs[20].value, 81)
  })

  test(`chunk ${chunk}: moved results and asynchronous functions`, async (t) => {
    const { pool } = callPool(t, { concurrentTasksPerWorker: 2 })
    const { values } = await collect(pool.map(upTo(30), 'bytes', { chunk }))
    t.deepEqual(
      values.map((each) => each[7]),
      upTo(30)
    )
    t.deepEqual((await collect(pool.map(upTo(50), 'laterSquare', { chunk }))).values[49], 49 * 49)
    const any = await collect(pool.map(upTo(50), 'unevenly', { chunk, ordered: false }))
    t.deepEqual(
      any.values.sort((a, b) => a - b),
      upTo(50)
    )
  })

  test(`chunk ${chunk}: an abort rejects at once, closes the source and stops the tasks`, async (t) => {
    stayAlive(t)
    for (const signalling of ['signal', 'emitter']) {
      const { pool, marked, marks } = callPool(t, { maxThreads: 1, abortGrace: Infinity })
      const controller = new AbortController()
      const emitter = new EventEmitter()
      const source = watched(Infinity)
      const signal = signalling === 'signal' ? controller.signal : emitter
      const iterator = pool.map(source.inputs, 'untilAborted', { chunk, signal })
      const pending = failure(iterator.next())
      await marked(0, 1)
      if (signalling === 'signal') controller.abort(new Error('enough'))
      else emitter.emit('abort')
      t.is((await pending).code, 'ABORT_ERR')
      await source.closing
      t.is(source.closed, 1)
      await marked(1, 1)
      t.is(await pool.run(4), 8)
      // Neither the next input of the chunk nor the next chunk has begun.
      t.is(Atomics.load(marks, 0), 1)
    }
  })

  test(`chunk ${chunk}: destroy and close end it with the contract's code`, async (t) => {
    const { pool, marked } = callPool(t)
    const source = watched(Infinity)
    const iterator = pool.map(source.inputs, 'never', { chunk })
    const pending = failure(iterator.next())
    await marked(0, 1)
    await pool.destroy()
    t.is((await pending).code, 'ERR_RSPOOL_POOL_CLOSED')
    await source.closing
    t.is(source.closed, 1)
    t.deepEqual(await iterator.next(), { value: undefined, done: true })
    t.is((await collect(pool.map([1], 'square', { chunk }))).error.code, 'ERR_RSPOOL_POOL_CLOSED')
    t.is((await failure(pool.settled([1], 'square', { chunk }))).code, 'ERR_RSPOOL_POOL_CLOSED')
  })
}

test('inputs are pulled lazily, and never more than the window', async (t) => {
  const { pool } = callPool(t)
  for (const ordered of [true, false]) {
    for (const async of [true, false]) {
      const source = watched(1000, { async })
      const iterator = pool.map(source.inputs, 'square', { chunk: 5, concurrency: 3, ordered })
      t.is(source.pulled, 0)
      for (let taken = 0; !(await iterator.next()).done; taken++) {
        t.true(source.pulled <= taken + 1 + 15, `${source.pulled} pulled, ${taken} taken`)
        if (taken % 100 === 0) await pool.settled([1, 2], 'square')
      }
      t.is(source.pulled, 1000)
    }
  }
})

test('an async source that waits for the results gets them', async (t) => {
  const { pool } = callPool(t)
  let last
  let wake
  async function* inputs() {
    for (let i = 0; i < 20; i++) {
      yield i
      if (last !== i) await new Promise((resolve) => (wake = resolve))
    }
  }
  const seen = []
  for await (const value of pool.map(inputs(), undefined, { chunk: 10 })) {
    seen.push(value)
    last = value / 2
    wake?.()
  }
  t.deepEqual(
    seen,
    upTo(20).map((n) => 2 * n)
  )
})

test('a return does not wait for a source that owes an input', async (t) => {
  const { pool } = callPool(t)
  async function* stuck() {
    yield 1
    await new Promise(() => {})
  }
  const iterator = pool.map(stuck(), 'square')
  t.is((await iterator.next()).value, 1)
  const pending = iterator.next()
  t.deepEqual(await iterator.return(5), { value: 5, done: true })
  t.deepEqual(await pending, { value: undefined, done: true })
})

test('tasks of every kind', async (t) => {
  const { pool } = callPool(t)
  t.deepEqual((await collect(pool.map([1, 2]))).values, [2, 4])
  t.deepEqual((await collect(pool.map([1, 2], (n) => n + 1))).values, [2, 3])
  t.deepEqual(
    (
      await collect(
        pool.map(
          [
            [1, 2],
            [3, 4]
          ],
          (a, b) => a + b
        )
      )
    ).values,
    [3, 7]
  )
  t.deepEqual((await collect(pool.map(new Set(['', 'a']), 'hash.crc32'))).values, [0, 0xe8b7be43])
  t.deepEqual((await collect(pool.map([3], { filename: fixture('calls.js'), name: 'square' }))).values, [9])
  t.deepEqual(await pool.settled(new Map([[1, 2]]).values(), 'square'), [{ status: 'fulfilled', value: 4 }])
  t.deepEqual(await pool.settled([]), [])
})

test('settled says how each input ended', async (t) => {
  const { pool } = callPool(t)
  const results = await pool.settled(upTo(1000), 'evenOnly')
  t.is(results.length, 1000)
  t.deepEqual(results[998], { status: 'fulfilled', value: 998 })
  t.is(results[999].status, 'rejected')
  t.is(results[999].reason.message, '999 is odd')
  const controller = new AbortController()
  const pending = pool.settled(upTo(10), 'never', { signal: controller.signal })
  controller.abort(7)
  t.is((await failure(pending)).cause, 7)
  t.is((await failure(pool.settled(upTo(1), 'never', { signal: controller.signal }))).code, 'ABORT_ERR')
})

test('a time limit is the limit of one input', async (t) => {
  const { pool } = callPool(t, { abortGrace: 10 })
  const results = await pool.settled(upTo(6), 'hang', { timeout: 1000 })
  t.deepEqual(
    results.map(({ value, reason }) => value ?? reason.code),
    [0, 1, 2, 'ERR_RSPOOL_TASK_TIMEOUT', 4, 5]
  )
})

test('onProgress hears of everything, and what it throws ends the mapping', async (t) => {
  const { pool } = callPool(t)
  const seen = []
  await pool.settled(upTo(100), 'evenOnly', { onProgress: (progress) => seen.push(progress) })
  t.deepEqual(seen.at(-1), { completed: 50, failed: 50, total: 100 })
  const source = watched(Infinity)
  const onProgress = () => {
    throw new RangeError('from onProgress')
  }
  const { error } = await collect(pool.map(source.inputs, 'square', { onProgress }))
  t.is(error.message, 'from onProgress')
  await source.closing
  t.is(source.closed, 1)
})

test('a queue of no length is enough', async (t) => {
  const { pool } = callPool(t, { maxQueue: 0 })
  t.is((await collect(pool.map(upTo(500), 'square'))).values.length, 500)
})

test('bad arguments throw at once', async (t) => {
  const { pool } = callPool(t)
  const code = 'ERR_RSPOOL_INVALID_ARGUMENT'
  for (const inputs of [undefined, null, 5, {}]) {
    t.throws(() => pool.map(inputs, 'square'), { code })
    t.is((await failure(pool.settled(inputs, 'square'))).code, code)
  }
  for (const options of [
    { concurrency: 0 },
    { concurrency: '4' },
    { chunk: 0 },
    { chunk: 'all' },
    { ordered: 1 },
    { stopOnError: 'no' },
    { onProgress: 5 },
    { signal: {} },
    { transferList: [] },
    { timeout: 0 },
    { deadline: 'soon' },
    { retries: -1 },
    5
  ]) {
    t.throws(() => pool.map([], 'square', options), { code })
    t.is((await failure(pool.settled([], 'square', options))).code, code)
  }
  t.throws(() => pool.map([], 'square', { concurency: 5 }), { code, message: /Did you mean 'concurrency'/ })
  t.throws(() => pool.map([], 'hash.crc32', { chunk: 5 }), { code, message: /chunk/ })
  t.throws(() => pool.map([], {}), { code })
  t.throws(() => pool.map([], 'hash.crc33'), { code: 'ERR_RSPOOL_UNKNOWN_TASK' })
})

test('a deadline and retries are those of each call', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1, abortGrace: 0 })
  const never = pool.map([1], 'never', { deadline: Date.now() + 10 })
  await t.throwsAsync(never.next(), { code: 'ERR_RSPOOL_DEADLINE' })
  const [{ reason }] = await pool.settled([1], 'exits', { retries: 2 })
  t.is(reason.attempts, 3)
})

test('nothing is left that keeps the process', async (t) => {
  const { code, stdout } = await program(`
    const marks = new Int32Array(new SharedArrayBuffer(16))
    const pool = new rspool.Pool({ filename: fixture('calls.js'), maxThreads: 2, workerData: { marks }, abortGrace: 60_000 })
    async function* forever() { for (let i = 0; ; i++) yield i }
    ;(async () => {
      for await (const n of pool.map(forever(), 'square')) if (n === 81) break
      for await (const n of pool.map(forever(), 'throwsAt7')) continue
    })().catch((error) => console.log(error.message))
    pool.map(forever(), 'square')
  `)
  t.is(code, 0)
  t.is(stdout, 'seven\n')
})
