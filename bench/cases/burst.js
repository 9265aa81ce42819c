'use strict'

const { alternate } = require('../lib/measure')
const { withRivals } = require('../lib/rivals')
const { againstPeers } = require('../lib/peers')

const COUNT = 100_000

module.exports = {
  title: '100,000 tasks at once',
  what: 'All number echoes are submitted in one go; tasks per second until the last result. Higher is better.',

  /** @param {import('../lib/peers').Setting} setting */
  run: ({ rounds, quick }) =>
    withRivals(2, async (contestants) => {
      // A round takes seconds, which evens out more noise than short rounds do.
      const samples = await alternate(contestants, quick ? 1 : Math.min(rounds, 3), async ({ echo }) => {
        const start = performance.now()
        const results = await Promise.all(Array.from({ length: COUNT }, (_, i) => echo(i)))
        const rate = COUNT / ((performance.now() - start) / 1000)
        if (results.some((result, i) => result !== i)) throw new Error('A result went to another task')
        return rate
      })
      return againstPeers(samples, { fastest: 12 })
    })
}
