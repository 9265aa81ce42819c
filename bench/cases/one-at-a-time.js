'use strict'

const { alternate, latencies, median, percentile, ratio, sleep } = require('../lib/measure')
const { withRivals } = require('../lib/rivals')
const { rowsOf, target } = require('../lib/report')

module.exports = {
  title: 'One call at a time',
  what: 'A number echo is awaited before the next is made: the way there and back. Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  run: ({ rounds, ms }) =>
    withRivals(2, async (contestants) => {
      const samples = await alternate(contestants, rounds, async ({ echo }) => {
        // What the last one left running comes to rest.
        await sleep(20)
        const times = await latencies(echo, ms)
        return { p50: median(times), p99: percentile(times, 0.99) }
      })
      const tables = []
      const targets = []
      for (const [quantile, limit, text] of /** @type {const} */ ([
        ['p50', 1 / 3, '≤ 1/3 of'],
        ['p99', 1, 'not above']
      ])) {
        const rows = rowsOf(samples, (sample) => sample[quantile])
        const [own, ...peers] = rows
        const best = peers.reduce((one, other) => (median(other.samples) < median(one.samples) ? other : one))
        tables.push({ unit: 'ms', caption: quantile, against: 'piscina', rows })
        targets.push(
          target(`${quantile} ${text} the best peer's (${best.who})`, ratio(own.samples, best.samples), {
            atMost: limit
          })
        )
      }
      return { tables, targets }
    })
}
