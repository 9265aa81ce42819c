'use strict'

// `context.with_rayon`: the threads of rayon are workers of the pool, for as long as one call.

const test = require('ava')
const { loadTasks } = require('..')
const { makePool, upTo } = require('./helpers')
const { sample } = require('./sample')

test.before(() => loadTasks(sample))

for (const maxThreads of [1, 2, 8]) {
  test(`work by rayon in a pool of ${maxThreads}, beside other tasks`, async (t) => {
    const pool = makePool(t, { maxThreads })
    const numbers = new Float64Array(200_000).fill(1)
    const sums = upTo(20).map(() => pool.runTask('sample.byRayon', numbers))
    const others = upTo(20).map((n) => pool.runTask('sample.add', [n, 1]))
    t.deepEqual(await Promise.all(sums), Array(20).fill(200_000))
    t.deepEqual(
      await Promise.all(others),
      upTo(20).map((n) => n + 1)
    )
    t.is(await pool.runTask('sample.byRayon', numbers, { parallel: false }), 200_000)
    t.true(pool.stats().workers.length <= maxThreads)
    await pool.close()
  })
}

test('a panic within rayon rejects its task, and leaves the workers to others', async (t) => {
  const pool = makePool(t, { maxThreads: 4 })
  for (const message of ['one', 'two', 'three']) {
    const error = await t.throwsAsync(pool.runTask('sample.rayonPanics', message), { code: 'ERR_RSPOOL_TASK_PANIC' })
    t.true(error.message.includes(message), error.message)
  }
  t.deepEqual(await Promise.all(upTo(8).map((n) => pool.runTask('sample.add', [n, 0]))), upTo(8))
  await pool.close()
})
