'use strict'

const assert = require('node:assert')
const { Pool } = require('../..')
const { filename } = require('../children/busy')
const { randomFrom } = require('../lib/random')
const { read, backTo, sleep } = require('../lib/readings')

/** @param {any} pool @param {ReturnType<typeof randomFrom>} random */
function submit(pool, random) {
  switch (random.below(8)) {
    case 0:
      return pool.runTask('never')
    case 1:
      return pool.runTask('forever')
    case 2:
      return pool.runTask('test.spin')
    case 3:
      return pool.runTask('hash.sha256', new Uint8Array(100_000))
    case 4:
      return pool.run(new Uint8Array(10), { transferList: [new ArrayBuffer(8)] })
    case 5:
      return pool.runTask('wait', { id: 1, ms: 5 })
    default:
      return pool.run({ n: 1 })
  }
}

module.exports = {
  title: 'Destroying a busy pool',
  times: { rounds: 100 },
  limit: 300_000,

  /** @param {{ count: number, seed: number }} given */
  async run({ count, seed }) {
    const random = randomFrom(seed)
    /** @type {ReturnType<typeof read> | undefined} */
    let before
    let cut = 0
    for (let round = -1; round < count; round++) {
      const pool = new Pool({ filename, maxThreads: 2, concurrentTasksPerWorker: 1 + random.below(3) })
      const outcomes = Promise.allSettled(Array.from({ length: 200 }, () => submit(pool, random)))
      if (random.next() < 0.8) await sleep(random.below(60))
      await pool.destroy()
      for (const { status, reason } of /** @type {any[]} */ (await outcomes)) {
        if (status === 'fulfilled') continue
        assert.strictEqual(reason.code, 'ERR_RSPOOL_POOL_CLOSED', reason)
        cut++
      }
      if (round === -1) {
        // The thread for time limits serves the whole process, and stays. The threads of the pool are ending.
        await sleep(500)
        before = read()
      }
    }
    await backTo(/** @type {ReturnType<typeof read>} */ (before))
    return `${cut} tasks cut off with ERR_RSPOOL_POOL_CLOSED, no thread left`
  }
}
