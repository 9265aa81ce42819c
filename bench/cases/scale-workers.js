'use strict'

const path = require('node:path')
const { Pool } = require('../..')
const { alternate, flood, ratio } = require('../lib/measure')
const { rowsOf, target } = require('../lib/report')

const filename = path.join(__dirname, '..', 'workers', 'rspool.js')
const SIZES = [1, 2, 4, 16, 64]

const lanes = [
  { lane: 'script', call: (/** @type {any} */ pool) => (/** @type {number} */ i) => pool.run(i) },
  { lane: 'native', call: (/** @type {any} */ pool) => () => pool.runTask('math.fibonacci', 1) }
]

module.exports = {
  title: 'From 1 to 64 workers',
  what: 'Number echoes through a script, and trivial native tasks, with more workers than cores. The cost of a task must stay flat. Higher is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds, ms }) {
    const tables = []
    const targets = []
    for (const { lane, call } of lanes) {
      const pools = SIZES.map((size) => ({
        name: `${size} worker${size === 1 ? '' : 's'}`,
        pool: new Pool({ filename: lane === 'script' ? filename : undefined, minThreads: size, maxThreads: size })
      }))
      // Waits until all workers have started: the last of 64 isolates take a while.
      for (const { pool } of pools) await flood(call(pool), { inFlight: 256, ms })
      const samples = await alternate(pools, rounds, ({ pool }) => flood(call(pool), { inFlight: 256, ms }))
      await Promise.all(pools.map(({ pool }) => pool.close()))
      const of = (/** @type {number} */ i) => /** @type {number[]} */ (samples.get(pools[i].name))
      tables.push({ unit: 'rate', caption: `${lane} lane`, against: '2 workers', rows: rowsOf(samples) })
      targets.push(target(`${lane}: 64 workers ≥ 0.7× 2 workers`, ratio(of(4), of(1)), { atLeast: 0.7 }))
    }
    return { tables, targets }
  }
}
