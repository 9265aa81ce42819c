'use strict'

const path = require('node:path')
const test = require('ava')
const { program } = require('./helpers')

// Each in a process of its own: a budget is for the rest of a process' life.

/**
 * Counts how many tasks run at once, in all pools, and what the most of it was. Each runs until there were as many
 * as are wanted, or for a while that is long enough for them to come.
 */
const watched = `
const root = ${JSON.stringify(path.join(__dirname, '..'))}
const running = new Int32Array(new SharedArrayBuffer(12))
const busyFor = (running) => {
  const now = Atomics.add(running, 0, 1) + 1
  for (let most; (most = Atomics.load(running, 1)) < now && Atomics.compareExchange(running, 1, most, now) !== most; );
  const { [2]: wanted } = running
  for (const end = performance.now() + (wanted === 0 ? 5 : 10_000); performance.now() < end; )
    if (wanted !== 0 && Atomics.load(running, 1) >= wanted) break
  Atomics.sub(running, 0, 1)
}
const make = (count) => Array.from({ length: count }, () => new rspool.Pool({ minThreads: 4, maxThreads: 4 }))
const work = async (pools, wanted = 0) => {
  running.set([0, wanted], 1)
  const each = 40
  await Promise.all(pools.flatMap((pool) => Array.from({ length: each }, () => pool.runTask(busyFor, running))))
  return running[1]
}
`

const run = async (t, source) => {
  const { code, stdout, stderr } = await program(`${watched}
    ;(async () => console.log(JSON.stringify(await (async () => {${source}})())))()`)
  t.is(code, 0, stderr)
  return JSON.parse(stdout)
}

test('the pools of a process together run no more than the budget, and one task for each further pool', async (t) => {
  const [made, most] = await run(t, 'return [rspool.shareCpu(2), await work(make(3))]')
  t.true(made)
  t.true(most <= 2 + 2, `${most}`)
})

test('a pool alone may use all of the budget, and gives back what it does not need', async (t) => {
  const [alone, other] = await run(
    t,
    `rspool.shareCpu(3)
     const [one, two] = make(2)
     return [await work([one], 3), await work([two], 3)]`
  )
  t.deepEqual([alone, other], [3, 3])
})

test('without it each pool runs as many as it may', async (t) => {
  t.is(await run(t, 'return work(make(2), 8)'), 8)
})

test('pools of other threads share it too, and a thread that ends gives back what its pool had', async (t) => {
  const [together, after] = await run(
    t,
    `rspool.shareCpu(3)
     const { Worker } = require('node:worker_threads')
     const [pool] = make(1)
     const inThread = \`
       const rspool = require(\${JSON.stringify(require.resolve(root))})
       const { workerData, parentPort } = require('node:worker_threads')
       const pool = new rspool.Pool({ minThreads: 4, maxThreads: 4 })
       const busyFor = \${busyFor}
       const more = () => pool.runTask(busyFor, workerData).then(more)
       for (let i = 0; i < 8; i++) more()
       pool.runTask(busyFor, workerData).then(() => parentPort.postMessage('busy'))
     \`
     const thread = new Worker(inThread, { eval: true, workerData: running })
     await require('node:events').once(thread, 'message')
     const together = await work([pool])
     await thread.terminate()
     running[0] = 0
     return [together, await work([pool], 3)]`
  )
  t.true(together <= 3 + 1, `${together}`)
  t.is(after, 3)
})

test('the first budget stays', async (t) => {
  t.deepEqual(await run(t, 'return [rspool.shareCpu(1), rspool.shareCpu(8), await work(make(1))]'), [true, false, 1])
})

test('what is no number of workers is refused', async (t) => {
  const codes = await run(
    t,
    `return [0, 1.5, '2', NaN, 5000].map((busy) => {
       try { return rspool.shareCpu(busy) } catch (error) { return error instanceof TypeError && error.code }
     })`
  )
  t.deepEqual(codes, Array(5).fill('ERR_RSPOOL_INVALID_ARGUMENT'))
})
