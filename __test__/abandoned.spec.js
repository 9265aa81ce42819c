'use strict'

const test = require('ava')
const { setTimeout: sleep } = require('node:timers/promises')
const { Pool } = require('..')
const { fixture } = require('./helpers')

// A Map with a symbol-described class instance in it travels by port, in both directions.
class Box {
  constructor(value) {
    this.value = value
  }
}

test('what a task that was given up sends later reaches no other task', async (t) => {
  const pool = new Pool({ filename: fixture('boxes.js'), maxThreads: 1, abortGrace: Infinity })
  t.teardown(() => pool.destroy())
  await pool.run(new Box(0))
  for (let round = 1; round <= 20; round++) {
    const controller = new AbortController()
    const given = pool.run(new Box(-round), { name: 'slow', signal: controller.signal })
    // Sometimes before it runs, mostly while it does.
    await sleep(round % 5)
    controller.abort()
    const next = [1, 2, 3].map((i) => pool.run(new Box(round * 10 + i)))
    await t.throwsAsync(given, { code: 'ABORT_ERR' })
    t.deepEqual(
      (await Promise.all(next)).map((result) => result.value),
      [1, 2, 3].map((i) => round * 10 + i)
    )
  }
})

test('an input that waits for a worker to ask for it is that of its own task', async (t) => {
  const pool = new Pool({ filename: fixture('boxes.js'), maxThreads: 2, concurrentTasksPerWorker: 3 })
  t.teardown(() => pool.destroy())
  const values = Array.from({ length: 300 }, (_, i) => i)
  const settled = await Promise.all(
    values.map(async (i) => {
      const signal = i % 3 === 0 ? AbortSignal.timeout(i % 10) : undefined
      try {
        return (await pool.run(new Box(i), signal && { signal })).value
      } catch (error) {
        t.is(error.code, 'ABORT_ERR')
        return i
      }
    })
  )
  t.deepEqual(settled, values)
})
