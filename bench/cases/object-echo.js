'use strict'

const assert = require('node:assert')
const { alternate, flood } = require('../lib/measure')
const { withRivals } = require('../lib/rivals')
const { againstPeers } = require('../lib/peers')

/** @param {number} id */
const record = (id) => ({ id, name: `name ${id}`, values: [id, id + 1, id * 2, id / 2, -id], flag: id % 2 === 0 })
const records = Array.from({ length: 1024 }, (_, id) => record(id))

module.exports = {
  title: 'Small object echo through a script',
  what: 'A script gives { id, name, values: [5 numbers], flag } back; results are those of structuredClone. Higher is better.',

  /** @param {import('../lib/peers').Setting} setting */
  run: ({ rounds, ms }) =>
    withRivals(2, async (contestants) => {
      for (const { name, echo } of contestants) {
        const results = await Promise.all(records.map(echo))
        assert.deepStrictEqual(results, structuredClone(records), `${name} gives other objects`)
      }
      const samples = await alternate(contestants, rounds, ({ echo }) =>
        flood((i) => echo(records[i & 1023]), { inFlight: 256, ms })
      )
      return againstPeers(samples, { piscina: 20, fastest: 9 })
    })
}
