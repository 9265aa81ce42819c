'use strict'

// Isolates that are rung and do not come, since something that a script left behind keeps them busy.

const { once } = require('node:events')
const fs = require('node:fs')
const path = require('node:path')
const test = require('ava')
const { directory, failure, makePool, outcomes, program, stayAlive } = require('./helpers')

/** Leaves something behind that keeps the isolate busy after the task; it says so in `cells[0]`. */
const LEAVES = {
  loop(cells) {
    function leftover() {
      Atomics.add(cells, 0, 1)
      for (;;);
    }
    setTimeout(leftover, 1)
  },
  expression(cells) {
    function leftover() {
      Atomics.add(cells, 0, 1)
      return /^(a+)+$/.test(`${'a'.repeat(60)}b`)
    }
    setTimeout(leftover, 1)
  }
}

/** Looks until it is as expected; the test's time limit ends it otherwise. */
async function until(look) {
  for (;;) {
    const value = look()
    if (value) return value
    await new Promise(setImmediate)
  }
}

/** A pool whose only isolate is busy with what a task has left. */
async function hangingPool(t, options, leaves = LEAVES.loop) {
  stayAlive(t)
  const pool = makePool(t, { maxThreads: 1, ...options })
  const cells = new Int32Array(new SharedArrayBuffer(4))
  await pool.runTask(leaves, [cells])
  await until(() => Atomics.load(cells, 0) === 1)
  return pool
}

const stateOf = (pool, number) => pool.stats().workers.find((worker) => worker.number === number)?.state

for (const [name, leaves] of Object.entries(LEAVES))
  test(`an isolate that does not come is told, ended and replaced: ${name}`, async (t) => {
    const pool = await hangingPool(t, { stallTimeout: 1500 }, leaves)
    const [{ threadId }] = pool.stats().workers
    const stalled = once(pool, 'stalled')
    const exited = once(pool, 'workerExit')
    // Nothing waits for it: nobody knows.
    t.is(stateOf(pool, 1), 'idle')
    const running = pool.runTask((a, b) => a + b, [1, 2])
    await until(() => stateOf(pool, 1) === 'unresponsive')
    const [{ silentMs, stack, ...about }] = await stalled
    t.deepEqual(about, { id: 0, number: 1, threadId })
    t.true(silentMs >= 1500)
    t.regex(stack, /^ {4}at leftover \(/)
    t.like((await exited)[0], { number: 1, threadId, exitCode: 1 })
    t.is(await running, 3)
    t.is(await pool.runTask((a) => a, [4]), 4)
    t.like(pool.stats(), { failed: 0, completed: 3 })
  })

test('another takes its place after a second, also where none is ever ended', async (t) => {
  const pool = await hangingPool(t, { stallTimeout: Infinity })
  pool.on('stalled', () => t.fail('it is not ended'))
  t.deepEqual(await outcomes([1, 2, 3].map((n) => pool.runTask((a) => a, [n]))), ['ok', 'ok', 'ok'])
  t.is(stateOf(pool, 1), 'unresponsive')
  t.is(stateOf(pool, 2), 'idle')
  t.is(pool.stats().idle, 1)
  t.is((await pool.broadcast((a) => a, [5])).length, 1, 'it is not ready')
  await pool.destroy()
})

test('one that comes again goes on, or ends if another has its place', async (t) => {
  const cells = new Int32Array(new SharedArrayBuffer(8))
  const leaves = (cells) => {
    setTimeout(() => {
      Atomics.add(cells, 0, 1)
      while (Atomics.load(cells, 1) === 0);
    }, 1)
  }
  const pool = makePool(t, { maxThreads: 1 })
  stayAlive(t)
  pool.on('stalled', () => t.fail('it is not ended'))
  await pool.runTask(leaves, [cells])
  await until(() => Atomics.load(cells, 0) === 1)
  const exited = once(pool, 'workerExit')
  t.is(await pool.runTask(() => 1), 1)
  Atomics.store(cells, 1, 1)
  t.like((await exited)[0], { number: 1, exitCode: 0 })
  t.is(await pool.runTask(() => 2), 2)
})

test('a task that waited for it alone and was given up has it ended after the grace', async (t) => {
  const ways = [
    () => ({ queueTimeout: 50 }),
    () => ({ signal: AbortSignal.timeout(50) }),
    () => ({ deadline: Date.now() + 500 })
  ]
  for (const options of ways) {
    const pool = await hangingPool(t, { abortGrace: 50 })
    const stalled = once(pool, 'stalled')
    await failure(pool.runTask((a) => a, [1], options()))
    const [{ stack }] = await stalled
    t.regex(stack, /at leftover \(/)
    t.is(await pool.runTask((a) => a, [2]), 2)
    await pool.destroy()
  }
})

test('a task that was sent to it, and that it never got, ends with it', async (t) => {
  const pool = await hangingPool(t, { stallTimeout: 300 })
  const stalled = once(pool, 'stalled')
  // What only a port can carry goes to the idle isolate at once.
  const input = new Map([[1, { two: new Set([3]) }]])
  const { port1, port2 } = new MessageChannel()
  const sent = pool.runTask((port, map) => port.close() ?? map.size, [port2, input], { transferList: [port2] })
  t.is((await failure(sent)).code, 'ERR_RSPOOL_WORKER_EXIT')
  await stalled
  port1.close()
  t.is(await pool.runTask((map) => map.get(1).two.size, [input]), 1)
})

test('one that runs a task is never ended, however long that takes', async (t) => {
  const pool = makePool(t, { maxThreads: 1, concurrentTasksPerWorker: 2, stallTimeout: 50 })
  pool.on('stalled', () => t.fail('it runs a task'))
  const cells = new Int32Array(new SharedArrayBuffer(8))
  const busy = pool.runTask(
    async (cells) => {
      await null
      while (Atomics.load(cells, 0) === 0);
      return 'done'
    },
    [cells]
  )
  await until(() => pool.stats().oldestRunning > 0)
  const others = [1, 2].map((n) => pool.runTask((a) => a, [n]))
  await until(() => pool.stats().oldestQueued > 1500)
  t.is(stateOf(pool, 1), 'busy')
  Atomics.store(cells, 0, 1)
  t.deepEqual(await outcomes([busy, ...others]), ['ok', 'ok', 'ok'])
})

test('one in a call of the system has no stack, and others do its work', async (t) => {
  const dir = directory(t, {})
  const flags = { there: path.join(dir, 'there'), go: path.join(dir, 'go') }
  const source =
    "const { existsSync, writeFileSync } = require('node:fs'); writeFileSync(process.argv[1], ''); setInterval(() => existsSync(process.argv[2]) && process.exit(), 5)"
  const leaves = ({ there, go }, source) => {
    setTimeout(() => require('node:child_process').spawnSync(process.execPath, ['-e', source, there, go]), 1)
  }
  stayAlive(t)
  const pool = makePool(t, { maxThreads: 1, stallTimeout: 100 })
  await pool.runTask(leaves, [flags, source])
  await until(() => fs.existsSync(flags.there))
  const stalled = once(pool, 'stalled')
  const running = pool.runTask((a) => a, [7])
  t.is((await stalled)[0].stack, null)
  t.is(await running, 7)
  const exited = once(pool, 'workerExit')
  fs.writeFileSync(flags.go, '')
  await exited
})

test('a blocked thread gets another isolate, and hears of the stall afterwards', async (t) => {
  const { stdout } = await program(`
    const cells = new Int32Array(new SharedArrayBuffer(4))
    const pool = new rspool.Pool({ maxThreads: 1, stallTimeout: 300 })
    pool.on('stalled', ({ stack }) => console.log('stalled', stack))
    const run = async () => {
      await pool.runTask(({ ${LEAVES.loop} }).loop, [cells])
      while (Atomics.load(cells, 0) === 0) await new Promise(setImmediate)
      console.log(pool.runTaskSync((a, b) => a * b, [6, 7]))
      await new Promise(setImmediate)
      await pool.close()
    }
    run()`)
  // Its stack is there if the helper thread was asked for it before the isolate was ended.
  t.regex(stdout, /^42\nstalled (null|\s+at leftover)/)
})

test('none is ended while an inspector is open', async (t) => {
  const { stdout } = await program(
    `
    const cells = new Int32Array(new SharedArrayBuffer(4))
    const pool = new rspool.Pool({ maxThreads: 1, stallTimeout: 100 })
    pool.on('stalled', () => console.log('stalled'))
    pool.on('workerExit', ({ exitCode }) => exitCode !== 0 && console.log('ended'))
    require('node:inspector').open(0, '127.0.0.1')
    const leaves = (cells) => {
      setTimeout(() => {
        Atomics.add(cells, 0, 1)
        Atomics.wait(cells, 0, 1, 900)
      }, 1)
    }
    const run = async () => {
      await pool.runTask(leaves, [cells])
      while (Atomics.load(cells, 0) === 0) await new Promise(setImmediate)
      console.log(await pool.runTask((a, b) => a * b, [6, 7]))
      await pool.close()
      process.exit()
    }
    run()`
  )
  t.deepEqual(stdout.trim().split('\n'), ['42'])
})
