'use strict'

const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { Pool } = require('../..')
const { alternate, ratio, sleep } = require('../lib/measure')
const { rowsOf, target } = require('../lib/report')

const filename = path.join(__dirname, '..', 'workers', 'spin.js')
const BLOCKED = 150
const TASKS = 400

const shared = () => new Int32Array(new SharedArrayBuffer(4))

/** How many tasks ended while the main thread did nothing but wait. @param {Int32Array} done */
function endedWhileBlocked(done) {
  const before = Atomics.load(done, 0)
  const end = performance.now() + BLOCKED
  while (performance.now() < end);
  return Atomics.load(done, 0) - before
}

module.exports = {
  title: '1 ms tasks while the main thread is blocked',
  what: `How many of ${TASKS} tasks of 1 ms end while the main thread spins for ${BLOCKED} ms; bare workers loop over the same list with no pool. Higher is better.`,

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds }) {
    const done = shared()
    const next = shared()
    const go = shared()
    const pool = new Pool({ filename, workerData: { done }, minThreads: 2, maxThreads: 2 })
    await Promise.all([pool.run(1), pool.run(1)])
    const bare = Array.from({ length: 2 }, () => new Worker(filename, { workerData: { done, next, go } }))
    const bareTurn = async () => {
      Atomics.store(done, 0, 0)
      Atomics.store(next, 0, TASKS)
      Atomics.add(go, 0, 1)
      Atomics.notify(go, 0)
      const count = endedWhileBlocked(done)
      while (Atomics.load(done, 0) < TASKS) await sleep(10)
      return count
    }
    const poolTurn = async () => {
      Atomics.store(done, 0, 0)
      const all = Array.from({ length: TASKS }, () => pool.run(1))
      const count = endedWhileBlocked(done)
      await Promise.all(all)
      return count
    }
    const ways = [
      { name: 'bare workers', turn: bareTurn },
      { name: 'rspool', turn: poolTurn }
    ]
    await sleep(300)
    const samples = await alternate(ways, rounds, ({ turn }) => turn())
    await Promise.all([pool.close(), ...bare.map((worker) => worker.terminate())])
    const of = (/** @type {string} */ name) => /** @type {number[]} */ (samples.get(name))
    return {
      tables: [{ unit: 'count', against: 'bare workers', rows: rowsOf(samples) }],
      targets: [target('≥ 90 % of bare workers', ratio(of('rspool'), of('bare workers')), { atLeast: 0.9 }, 'share')]
    }
  }
}
