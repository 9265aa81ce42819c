'use strict'

// The two cases with large buffers: how long one call takes, alone and with others in flight.

const { alternate, flood, ratio } = require('./measure')
const { rowsOf, target } = require('./report')

/**
 * @param {import('./rivals').Contestant[]} contestants
 * @param {import('./peers').Setting} setting
 * @param {(contestant: import('./rivals').Contestant) => (i: number) => Promise<any>} callOf
 * @param {number} limit the share of piscina's time that is allowed
 * @returns {Promise<import('./report').Result>}
 */
async function timesOfBuffers(contestants, { rounds, ms }, callOf, limit) {
  const tables = []
  const targets = []
  for (const [inFlight, caption] of /** @type {const} */ ([
    [1, 'one at a time'],
    [16, '16 in flight']
  ])) {
    const samples = await alternate(
      contestants,
      rounds,
      async (contestant) => 1000 / (await flood(callOf(contestant), { inFlight, ms }))
    )
    tables.push({ unit: 'ms', caption: `a buffer, ${caption}`, against: 'piscina', rows: rowsOf(samples) })
    const own = /** @type {number[]} */ (samples.get('rspool'))
    const piscina = /** @type {number[]} */ (samples.get('piscina'))
    targets.push(target(`≤ ${limit}× piscina's time, ${caption}`, ratio(own, piscina), { atMost: limit }))
  }
  return { tables, targets }
}

module.exports = { timesOfBuffers }
