'use strict'

// The result of most cases: a table of rates, and by how much rspool is faster.

const { median, ratio } = require('./measure')
const { rowsOf, target } = require('./report')

/** @typedef {{ rounds: number, ms: number, quick: boolean, part?: string }} Setting */

/**
 * The peer with the highest median.
 * @param {Map<string, number[]>} samples
 */
function fastest(samples) {
  const peers = [...samples].filter(([name]) => name !== 'rspool')
  return peers.reduce((best, each) => (median(each[1]) > median(best[1]) ? each : best))[0]
}

/**
 * @param {Map<string, number[]>} samples tasks per second
 * @param {{ piscina?: number, fastest: number }} times how many times as fast rspool has to be
 * @returns {import('./report').Result}
 */
function againstPeers(samples, times) {
  const of = (/** @type {string} */ name) => /** @type {number[]} */ (samples.get(name))
  const best = fastest(samples)
  const targets = [
    target(`≥ ${times.fastest}× the fastest peer (${best})`, ratio(of('rspool'), of(best)), { atLeast: times.fastest })
  ]
  if (times.piscina !== undefined) {
    targets.unshift(
      target(`≥ ${times.piscina}× piscina`, ratio(of('rspool'), of('piscina')), { atLeast: times.piscina })
    )
  }
  return { tables: [{ unit: 'rate', against: 'piscina', rows: rowsOf(samples) }], targets }
}

module.exports = { againstPeers, fastest }
