'use strict'

const assert = require('node:assert')
const path = require('node:path')
const { Pool } = require('../..')
const { alternate, ratio } = require('../lib/measure')
const { rowsOf, target } = require('../lib/report')

const COUNT = 200_000

module.exports = {
  title: 'A mapping of tiny inputs',
  what: 'Numbers through a script that gives them back, as a mapping and one call each. Higher is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds }) {
    const filename = path.join(__dirname, '..', 'workers', 'rspool.js')
    const pool = new Pool({ filename, minThreads: 2, maxThreads: 2 })
    const inputs = Array.from({ length: COUNT }, (_, i) => i)
    const ways = [
      {
        name: 'map',
        async sum() {
          let sum = 0
          for await (const n of pool.map(inputs)) sum += n
          return sum
        }
      },
      {
        name: 'one call each',
        sum: async () => (await Promise.all(inputs.map((n) => pool.run(n)))).reduce((a, b) => a + b, 0)
      }
    ]
    const samples = await alternate(ways, Math.min(rounds, 5), async ({ sum }) => {
      globalThis.gc?.()
      const start = performance.now()
      assert.strictEqual(await sum(), (COUNT * (COUNT - 1)) / 2)
      return COUNT / ((performance.now() - start) / 1000)
    })
    await pool.close()
    const of = (/** @type {string} */ name) => /** @type {number[]} */ (samples.get(name))
    return {
      tables: [{ unit: 'rate', against: 'one call each', rows: rowsOf(samples) }],
      targets: [target('≥ 3× one call each', ratio(of('map'), of('one call each')), { atLeast: 3 })]
    }
  }
}
