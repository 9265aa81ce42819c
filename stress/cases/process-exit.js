'use strict'

const { endInTheMiddle } = require('../lib/endings')

module.exports = {
  title: 'process.exit() in the middle',
  times: { rounds: 100 },
  limit: 300_000,

  /** @param {{ count: number, seed: number }} given */
  async run(given) {
    await endInTheMiddle(given, ['exit'], ({ code, stderr }) => code === 37 && stderr === '')
    return 'each ended with its exit code, and said nothing'
  }
}
