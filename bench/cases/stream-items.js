'use strict'

const assert = require('node:assert')
const { on, once } = require('node:events')
const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { Pool } = require('../..')
const { alternate, ratio } = require('../lib/measure')
const { rowsOf, target } = require('../lib/report')

const COUNT = 1_000_000
const filename = path.join(__dirname, '..', 'workers', 'items.js')

/**
 * @param {Worker} worker
 * @param {number} count
 */
async function byMessages(worker, count) {
  const messages = on(worker, 'message')
  worker.postMessage(count)
  let taken = 0
  for await (const [item] of messages) {
    assert.strictEqual(item, taken)
    if (++taken === count) break
  }
}

/**
 * @param {Pool} pool
 * @param {number} count
 */
async function byStream(pool, count) {
  let taken = 0
  for await (const item of pool.stream('items', count)) assert.strictEqual(item, taken++)
  assert.strictEqual(taken, count)
}

module.exports = {
  title: 'A stream of small items',
  what: 'A million numbers that a generator in a worker yields, and the same as messages in an async iterator. Higher is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds }) {
    const pool = new Pool({ filename, minThreads: 1, maxThreads: 1 })
    const worker = new Worker(filename)
    await once(worker, 'online')
    const ways = [
      { name: 'pool.stream', take: () => byStream(pool, COUNT) },
      { name: 'messages', take: () => byMessages(worker, COUNT) }
    ]
    const samples = await alternate(ways, Math.min(rounds, 5), async ({ take }) => {
      globalThis.gc?.()
      const start = performance.now()
      await take()
      return COUNT / ((performance.now() - start) / 1000)
    })
    await worker.terminate()
    await pool.close()
    const of = (/** @type {string} */ name) => /** @type {number[]} */ (samples.get(name))
    return {
      tables: [{ unit: 'rate', against: 'messages', rows: rowsOf(samples) }],
      targets: [
        target('≥ 5× an async iterator over messages', ratio(of('pool.stream'), of('messages')), { atLeast: 5 })
      ]
    }
  }
}
