'use strict'

const { alternate, median, ratio, sleep } = require('../lib/measure')
const { withRivals } = require('../lib/rivals')
const { rowsOf, target } = require('../lib/report')

const REST = 100
const CALLS = 5

module.exports = {
  title: 'One call after a rest',
  what: `A number echo after ${REST} ms in which nothing was called, so that every thread sleeps: the median of ${CALLS} in each round. Lower is better.`,

  /** @param {import('../lib/peers').Setting} setting */
  run: ({ rounds }) =>
    withRivals(2, async (contestants) => {
      const samples = await alternate(contestants, rounds, async ({ echo }) => {
        const times = []
        while (times.length < CALLS) {
          await sleep(REST)
          const start = performance.now()
          await echo(times.length)
          times.push(performance.now() - start)
        }
        return median(times)
      })
      const rows = rowsOf(samples)
      const [own, ...peers] = rows
      const best = peers.reduce((one, other) => (median(other.samples) < median(one.samples) ? other : one))
      return {
        tables: [{ unit: 'ms', against: 'piscina', rows }],
        targets: [target(`not above the best peer's (${best.who})`, ratio(own.samples, best.samples), { atMost: 1 })]
      }
    })
}
