'use strict'

// The time of pools is real time, kept in Rust: it holds where a test has replaced the timers of JavaScript, and where
// the loop of the thread is blocked.

const { once } = require('node:events')
const test = require('ava')
const FakeTimers = require('@sinonjs/fake-timers')
const { makePool, taskPool, stayAlive, failure } = require('./helpers')

const ALL = ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'Date', 'hrtime', 'performance']

/** The time of JavaScript stands still until the test has ended. */
function standStill(t) {
  const clock = FakeTimers.install({ toFake: ALL })
  t.teardown(() => clock.uninstall())
  return clock
}

test.serial('close({ timeout }) ends a pool under fake timers', async (t) => {
  stayAlive(t)
  const { pool, gate } = taskPool(t, { maxThreads: 1 })
  standStill(t)
  const never = failure(pool.run(0, { name: 'never' }))
  await gate.arrival(1)
  await pool.close({ timeout: 20 })
  t.is((await never).code, 'ERR_RSPOOL_POOL_CLOSED')
})

test.serial('a pool that is made before fake timers, and closed under them, leaves nothing behind', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1, minThreads: 0, idleTimeout: 10 })
  t.is(await pool.run(1), 1)
  const clock = standStill(t)
  await pool.close()
  t.is(clock.countTimers(), 0)
  clock.uninstall()
})

test.serial('idle isolates end, and a start that fails is tried again, under fake timers', async (t) => {
  stayAlive(t)
  const clock = standStill(t)
  const { pool } = taskPool(t, { maxThreads: 1, minThreads: 0, idleTimeout: 10 })
  t.is(await pool.run(1), 1)
  await once(pool, 'workerExit')
  const broken = makePool(t, { filename: '/no/such.js', maxThreads: 1, startTimeout: 60_000 })
  for (let tries = 0; tries < 3; tries++) {
    t.is((await failure(broken.ready())).code, 'ERR_RSPOOL_WORKER_START')
  }
  const stuck = makePool(t, { filename: 'data:text/javascript,for(;;);', maxThreads: 1, startTimeout: 100 })
  t.regex((await failure(stuck.run(1))).message, /after 100 ms, its 'startTimeout'/)
  t.is(clock.countTimers(), 0)
})

test.serial('a start that takes too long is given up while the thread is blocked for it', (t) => {
  const pool = makePool(t, { filename: 'data:text/javascript,for(;;);', maxThreads: 1, startTimeout: 100 })
  for (let tries = 0; tries < 2; tries++) {
    const error = t.throws(() => pool.runSync(1), { code: 'ERR_RSPOOL_WORKER_START' })
    t.regex(error.message, /after 100 ms, its 'startTimeout'/)
  }
})
