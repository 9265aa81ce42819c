'use strict'

const { endInTheMiddle } = require('../lib/endings')

module.exports = {
  title: 'An uncaught error in the middle',
  times: { rounds: 100 },
  limit: 300_000,

  /** @param {{ count: number, seed: number }} given */
  async run(given) {
    await endInTheMiddle(
      given,
      ['throw', 'reject', 'task'],
      ({ code, stderr }) => code === 1 && stderr.includes('Error: thrown in the middle')
    )
    return 'each ended with exit code 1 and its error'
  }
}
