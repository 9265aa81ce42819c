'use strict'

const assert = require('node:assert')
const crypto = require('node:crypto')
const { Pool } = require('../..')
const { alternate, flood, ratio } = require('../lib/measure')
const { rowsOf, target } = require('../lib/report')

const SIZE = 8 * 2 ** 20

module.exports = {
  title: 'SHA-256 of 8 MB',
  what: 'Bytes hashed a second, with 1 and 2 workers, copying the input included; node:crypto blocks the main thread. Higher is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds, ms }) {
    const bytes = crypto.randomBytes(SIZE)
    const digest = () => crypto.createHash('sha256').update(bytes).digest()
    const one = new Pool({ minThreads: 1, maxThreads: 1 })
    const two = new Pool({ minThreads: 2, maxThreads: 2 })
    for (const pool of [one, two]) assert.deepStrictEqual(await pool.runTask('hash.sha256', bytes), digest())
    const calls = [
      { name: 'node:crypto, main thread', call: async () => digest(), inFlight: 1 },
      { name: 'rspool, 1 worker', call: () => one.runTask('hash.sha256', bytes), inFlight: 2 },
      { name: 'rspool, 2 workers', call: () => two.runTask('hash.sha256', bytes), inFlight: 4 }
    ]
    const samples = await alternate(
      calls,
      rounds,
      async ({ call, inFlight }) => (await flood(call, { inFlight, ms })) * SIZE
    )
    await Promise.all([one.close(), two.close()])
    const of = (/** @type {number} */ i) => /** @type {number[]} */ (samples.get(calls[i].name))
    return {
      tables: [{ unit: 'throughput', against: calls[0].name, rows: rowsOf(samples) }],
      targets: [
        target('≥ 0.9× node:crypto on one core', ratio(of(1), of(0)), { atLeast: 0.9 }),
        target('2 workers ≥ 1.6× 1 worker', ratio(of(2), of(1)), { atLeast: 1.6 })
      ]
    }
  }
}
