'use strict'

const path = require('node:path')
const { Pool } = require('../..')
const { alternate, ratio } = require('../lib/measure')
const { rowsOf, target } = require('../lib/report')

const filename = path.join(__dirname, '..', 'workers', 'rspool.js')
const COUNTS = [1, 100, 10_000, 1_000_000]
/** Tasks that one sample is made of, at least. */
const ENOUGH = 10_000

module.exports = {
  title: 'From 1 to 1,000,000 queued tasks',
  what: 'Time for each number echo when so many are submitted in one go; promises of V8 and their collection included. Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds, quick }) {
    const pool = new Pool({ filename, minThreads: 2, maxThreads: 2 })
    const counts = COUNTS.map((count) => ({ name: `${count.toLocaleString('en-US')} at once`, count }))
    const samples = await alternate(counts, quick ? 1 : Math.min(rounds, 5), async ({ count }) => {
      const times = Math.max(1, ENOUGH / count)
      const start = performance.now()
      let left = 0
      for (let i = 0; i < times; i++) {
        await new Promise((resolve, reject) => {
          left = count
          const settled = () => {
            if (--left === 0) resolve(undefined)
          }
          for (let j = 0; j < count; j++) pool.run(j).then(settled, reject)
        })
      }
      return (performance.now() - start) / (times * count)
    })
    await pool.close()
    const of = (/** @type {number} */ i) => /** @type {number[]} */ (samples.get(counts[i].name))
    return {
      tables: [{ unit: 'ms', against: counts[2].name, rows: rowsOf(samples) }],
      targets: [target('1,000,000 at once ≤ 2× the cost of 10,000', ratio(of(3), of(2)), { atMost: 2 })]
    }
  }
}
