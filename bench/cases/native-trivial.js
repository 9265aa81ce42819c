'use strict'

const assert = require('node:assert')
const crypto = require('node:crypto')
const { Pool } = require('../..')
const { alternate, flood, median, ratio } = require('../lib/measure')
const { rowsOf, target } = require('../lib/report')

const bytes = crypto.randomBytes(16)
const { subtle } = crypto.webcrypto

module.exports = {
  title: 'Trivial native tasks',
  what: 'The smallest native tasks, against the runtime’s own way of hashing off the event loop. Higher is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds, ms }) {
    const pool = new Pool({ minThreads: 2, maxThreads: 2 })
    const digest = await pool.runTask('hash.sha256', bytes)
    assert.deepStrictEqual(digest, crypto.createHash('sha256').update(bytes).digest())
    assert.strictEqual(await pool.runTask('math.fibonacci', 7), 13)
    const calls = [
      { name: 'math.fibonacci(1)', call: () => pool.runTask('math.fibonacci', 1) },
      { name: 'hash.crc32, 16 bytes', call: () => pool.runTask('hash.crc32', bytes) },
      { name: 'hash.sha256, 16 bytes', call: () => pool.runTask('hash.sha256', bytes) },
      { name: 'crypto.subtle.digest, 16 bytes', call: () => subtle.digest('SHA-256', bytes) }
    ]
    const samples = await alternate(calls, rounds, ({ call }) => flood(call, { inFlight: 256, ms }))
    await pool.close()
    const of = (/** @type {number} */ i) => /** @type {number[]} */ (samples.get(calls[i].name))
    return {
      tables: [{ unit: 'rate', against: calls[3].name, rows: rowsOf(samples) }],
      targets: [
        target('≥ 1 M/s of a trivial task', median(of(0)), { atLeast: 1e6 }, 'rate'),
        target('≥ 5× crypto.subtle.digest, trivial task', ratio(of(0), of(3)), { atLeast: 5 }),
        target('≥ 5× crypto.subtle.digest, the same SHA-256', ratio(of(2), of(3)), { atLeast: 5 })
      ]
    }
  }
}
