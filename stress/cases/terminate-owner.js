'use strict'

const path = require('node:path')
const { once } = require('node:events')
const { Worker } = require('node:worker_threads')
const { Pool } = require('../..')
const { randomFrom } = require('../lib/random')
const { read, backTo, sleep } = require('../lib/readings')

module.exports = {
  title: 'Terminating an isolate that owns a busy pool',
  times: { rounds: 100 },
  limit: 300_000,

  /** @param {{ count: number, seed: number }} given */
  async run({ count, seed }) {
    const random = randomFrom(seed)
    // The timer thread serves the whole process, and starts with the first time limit.
    const pool = new Pool({ maxThreads: 1 })
    await pool.runTask('hash.crc32', '', { timeout: 10_000 })
    await pool.close()
    let before = read()
    for (let round = -1; round < count; round++) {
      const owner = new Worker(path.join(__dirname, '..', 'children', 'owner.js'))
      await once(owner, 'message')
      if (random.next() < 0.5) await sleep(random.below(10))
      await owner.terminate()
      // The first worker starts things that stay for all: the standard streams, V8's own threads.
      if (round === -1) {
        await sleep(500)
        before = read()
      }
    }
    await backTo(before)
    return 'no abort, no hang, no thread left'
  }
}
