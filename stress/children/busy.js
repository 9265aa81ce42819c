'use strict'

// Keeps pools busy in every way: native and script tasks, short and endless, values and buffers.

const path = require('node:path')
const { Pool } = require('../..')

const filename = path.join(__dirname, '..', 'scripts', 'tasks.js')

/**
 * @param {(count: number) => void} onResult
 */
function busyPool(onResult) {
  const pool = new Pool({ filename, minThreads: 2, maxThreads: 2, concurrentTasksPerWorker: 2 })
  let count = 0
  /** @param {(i: number) => Promise<unknown>} call */
  const loop = async (call) => {
    for (let i = 0; ; i++) {
      await call(i)
      onResult(++count)
    }
  }
  const bytes = new Uint8Array(10_000)
  const calls = [
    (/** @type {number} */ i) => pool.run(i),
    (/** @type {number} */ i) => pool.run({ i, list: [i] }),
    (/** @type {number} */ i) => pool.runTask('later', { id: i, turns: i % 4 }),
    () => pool.runTask('reverse', bytes),
    () => pool.runTask('hash.sha256', bytes),
    () => pool.runTask('math.fibonacci', 20),
    () => pool.run(new Uint8Array(100), { transferList: [] })
  ]
  const loops = Array.from({ length: 4 }, () => calls.map(loop)).flat()
  const endless = [pool.runTask('never'), pool.runTask('test.spin')]
  for (const promise of [...loops, ...endless]) promise.catch(() => {})
  return pool
}

module.exports = { busyPool, filename }
