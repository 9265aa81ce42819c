'use strict'

const assert = require('node:assert')
const { alternate, flood } = require('../lib/measure')
const { withRivals } = require('../lib/rivals')
const { againstPeers } = require('../lib/peers')

module.exports = {
  title: 'Number echo through a script',
  what: 'A script gives a number back: what a task costs besides its work. Higher is better.',

  /** @param {import('../lib/peers').Setting} setting */
  run: ({ rounds, ms }) =>
    withRivals(2, async (contestants) => {
      for (const { echo } of contestants) assert.strictEqual(await echo(4.5), 4.5)
      const samples = await alternate(contestants, rounds, ({ echo }) => flood(echo, { inFlight: 256, ms }))
      return againstPeers(samples, { piscina: 50, fastest: 15 })
    })
}
