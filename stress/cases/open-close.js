'use strict'

const assert = require('node:assert')
const { Pool } = require('../..')
const { filename } = require('../children/busy')
const { read, backTo, settledRss } = require('../lib/readings')

/** Rounds before the measurement. The heap of the process finds its size in the first hundred or so. */
const WARM_UP = 150
/** Bytes that a pool may leave behind. Each isolate leaves about as many in V8 and in malloc. */
const ALLOWED = 40_000

/** @param {number} round */
async function openAndClose(round) {
  const pool = new Pool({ filename, minThreads: 1, maxThreads: 2 })
  const [digest, square, failed] = await Promise.allSettled([
    pool.runTask('hash.sha256', 'abc'),
    pool.runTask('square', round),
    pool.runTask('fail', round)
  ])
  assert.strictEqual(digest.status === 'fulfilled' && digest.value.length, 32)
  assert.strictEqual(square.status === 'fulfilled' && square.value, round * round)
  assert.strictEqual(failed.status === 'rejected' && failed.reason.id, round)
  await (round % 2 === 0 ? pool.close() : pool.destroy())
}

module.exports = {
  title: 'Pools made and closed',
  times: { rounds: 200 },
  limit: 300_000,

  /** @param {{ count: number }} given */
  async run({ count }) {
    for (let round = 0; round < WARM_UP; round++) await openAndClose(round)
    const before = read()
    const growths = []
    do {
      const rss = await settledRss()
      for (let round = 0; round < count; round++) await openAndClose(round)
      await backTo(before)
      growths.push(((await settledRss()) - rss) / count)
      // malloc and V8 keep memory for later in steps, while a leak shows in every measurement.
    } while (growths.length < 3 && Math.min(...growths) >= ALLOWED)
    const growth = Math.min(...growths)
    assert.ok(growth < ALLOWED, `${Math.round(growth)} bytes of resident memory stay behind with each pool`)
    return `threads, files and handles as before; ${growths.map((bytes) => (bytes / 1024).toFixed(1)).join(', then ')} kB resident a pool`
  }
}
