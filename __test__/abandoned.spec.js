'use strict'

const test = require('ava')
const { setTimeout: sleep } = require('node:timers/promises')
const { byPort } = require('./by-port')
const { Pool } = require('..')
const { fixture, node, root } = require('./helpers')

/** It travels by a port, in both directions. */
class Box {
  constructor(value) {
    this.value = value
    this.shared = byPort()
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

test('results that come after their tasks were given up are not kept', async (t) => {
  const { code, stdout, stderr } = await node([
    '--expose-gc',
    '-e',
    `const { Pool } = require(${JSON.stringify(root)})
    const pool = new Pool({ filename: ${JSON.stringify(fixture('boxes.js'))}, maxThreads: 1, concurrentTasksPerWorker: 2, abortGrace: Infinity })
    const gauge = () => { gc(); gc(); return process.memoryUsage().arrayBuffers }
    ;(async () => {
      await pool.run(null, { name: 'large' })
      const before = gauge()
      for (let n = 0; n < 60; n++) {
        const controller = new AbortController()
        const given = pool.run(null, { name: 'largeWhenAborted', signal: controller.signal })
        await pool.run(null, { name: 'begun' })
        controller.abort()
        await given.catch(() => {})
        await pool.run(null, { name: 'begun' })
      }
      console.log(gauge() - before < 20e6)
      await pool.close()
    })()`
  ])
  t.is(stdout, 'true\n', stderr)
  t.is(code, 0)
})
