'use strict'

const { once } = require('node:events')
const { Worker } = require('node:worker_threads')
const test = require('ava')
const { fixture, makePool, outcomes, program, rspool, taskPool } = require('./helpers')

const owner = (workerData) => new Worker(fixture('owner.js'), { workerData })

test('several pools in one process keep apart', async (t) => {
  const pools = Array.from({ length: 5 }, (_, n) => makePool(t, { maxThreads: 1, workerData: n }))
  const mine = (k) => [require('node:worker_threads').workerData, k]
  const results = await Promise.all(Array.from({ length: 500 }, (_, k) => pools[k % 5].runTask(mine, k)))
  t.deepEqual(
    results,
    Array.from({ length: 500 }, (_, k) => [k % 5, k])
  )
})

test('ending one pool leaves the others alone', async (t) => {
  const [a, b, c] = [0, 1, 2].map(() => taskPool(t, { maxThreads: 1 }).pool)
  await Promise.all([a.run(1), b.run(1), c.run(1)])
  const pending = Array.from({ length: 200 }, (_, n) => c.run(n))
  await Promise.all([a.destroy(), b.close()])
  t.deepEqual(
    await Promise.all(pending),
    Array.from({ length: 200 }, (_, n) => n)
  )
})

test('a pool in a worker thread of the user works and lets it end', async (t) => {
  const worker = owner({ idle: true })
  const exit = once(worker, 'exit')
  t.deepEqual(await once(worker, 'message'), [49])
  t.deepEqual(await exit, [0])
})

test('a pool in an isolate of a pool works', async (t) => {
  const pool = makePool(t, { filename: fixture('nested.js'), maxThreads: 2 })
  const results = await Promise.all([1, 2, 3, 4].map((n) => pool.run(n)))
  t.deepEqual(
    results,
    [1, 2, 3, 4].map((n) => [n * n, 0xe8b7be43, '/x/'])
  )
})

test('a pool left open in an isolate keeps neither the isolate nor its pool', async (t) => {
  const pool = makePool(t, { filename: fixture('nested.js'), maxThreads: 1 })
  t.deepEqual(await Promise.all([1, 2, 3].map((n) => pool.runTask('leaveOpen', n))), [1, 4, 9])
  await pool.close()
  t.is(pool.stats().workers.length, 0)
})

for (const [what, end] of Object.entries({
  closed: (pool) => pool.close(),
  destroyed: (pool) => pool.destroy()
})) {
  test(`a pool is ${what} while its isolates own busy pools`, async (t) => {
    for (let round = 0; round < 5; round++) {
      const pool = makePool(t, { filename: fixture('nested.js'), maxThreads: 2 })
      t.deepEqual(await Promise.all([pool.runTask('leaveBusy'), pool.runTask('leaveBusy')]), ['busy', 'busy'])
      await end(pool)
      t.is(pool.stats().workers.length, 0)
    }
  })
}

test('a task that owns a busy pool is aborted', async (t) => {
  for (let round = 0; round < 5; round++) {
    const pool = makePool(t, { filename: fixture('nested.js'), maxThreads: 1, abortGrace: 0 })
    const controller = new AbortController()
    const busy = once(pool, 'message')
    const running = outcomes([pool.runTask('stayBusy', null, { signal: controller.signal })])
    await busy
    controller.abort()
    t.deepEqual(await running, ['ABORT_ERR'])
    t.deepEqual(await pool.run(2), [4, 0xe8b7be43, '/x/'])
    await pool.destroy()
  }
})

test('a worker thread that owns a busy pool is terminated, again and again', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  for (let round = 0; round < 15; round++) {
    const workers = [owner(), owner()]
    await Promise.all(workers.map((worker) => once(worker, 'message')))
    t.deepEqual(await Promise.all(workers.map((worker) => worker.terminate())), [1, 1])
    t.is(await pool.run(round), round)
  }
})

test('a worker thread that owns a busy pool is terminated while it starts', async (t) => {
  for (let round = 0; round < 15; round++) {
    const worker = owner()
    await once(worker, 'online')
    for (let turn = 0; turn < round * 50; turn++) await new Promise(setImmediate)
    await worker.terminate()
  }
  t.is(await rspool.runTask('hash.crc32', ''), 0)
})

test('a worker thread that owns a busy pool throws or exits in the middle', async (t) => {
  for (let round = 0; round < 5; round++) {
    const [throwing, exiting] = [owner({ throws: true }), owner({ exits: true })]
    const [[error], [code]] = await Promise.all([once(throwing, 'error'), once(exiting, 'exit')])
    t.is(error.message, 'in the middle')
    t.is(code, 5)
  }
  t.is(await rspool.runTask('hash.crc32', ''), 0)
})

test('no threads stay behind', async (t) => {
  const { code, stdout, stderr } = await program(`
    const fs = require('node:fs')
    const tasks = '/proc/self/task'
    const nameOf = (id) => { try { return fs.readFileSync(tasks + '/' + id + '/comm', 'utf8').trim() } catch {} }
    const threads = () => process.platform === 'linux' ? fs.readdirSync(tasks).map(nameOf).filter(Boolean) : []
    async function round () {
      const pools = [0, 1, 2].map(() => new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 2 }))
      await Promise.all(pools.flatMap((pool) => [pool.run(1), pool.runTask('hash.crc32', ''), pool.runTask('square', 2)]))
      await Promise.all([pools[0].close(), pools[1].destroy(), pools[2].close()])
    }
    // At most so many, or as many in a hundred looks.
    async function settled (count) {
      let looks = 0
      let last = 0
      for await (const _ of require('node:timers/promises').setInterval(5)) {
        const now = threads()
        looks = now.length === last ? looks + 1 : 0
        last = now.length
        if (last <= count || looks === 100) return now
      }
    }
    ;(async () => {
      // Those of libuv and the timer's are started by the first use of each, and stay.
      await new Promise((resolve) => fs.stat('.', resolve))
      await rspool.runTask('hash.crc32', '', { timeout: 10_000 })
      await round()
      const before = await settled(0)
      for (let i = 0; i < 10; i++) await round()
      const after = await settled(before.length)
      console.log(after.length <= before.length ? 'same' : [before, 'became', after].join(' '))
    })()
  `)
  t.is(stdout, 'same\n', stderr)
  t.is(code, 0)
})
