'use strict'

const { canPlaceThreads, withMainApart } = require('../lib/cores')
const { alternate, latencies, median, percentile, ratio, sleep } = require('../lib/measure')
const { withRivals } = require('../lib/rivals')
const { rowsOf, target } = require('../lib/report')

/** The share of the best peer's time that is allowed. */
const APART = { p50: 0.1, p99: 1 }
const TOGETHER = { p50: 0.2, p99: 1 }

/**
 * @param {import('../lib/rivals').Contestant[]} contestants
 * @param {import('../lib/peers').Setting} setting
 * @param {string} place
 * @param {typeof APART} limits
 * @returns {Promise<import('../lib/report').Result>}
 */
async function measure(contestants, { rounds, ms }, place, limits) {
  const samples = await alternate(contestants, rounds, async ({ echo }) => {
    // Lets the work that the last contestant left running come to rest.
    await sleep(20)
    const times = await latencies(echo, ms)
    return { p50: median(times), p99: percentile(times, 0.99) }
  })
  const tables = []
  const targets = []
  for (const name of /** @type {const} */ (['p50', 'p99'])) {
    const rows = rowsOf(samples, (sample) => sample[name])
    const [own, ...peers] = rows
    const best = peers.reduce((one, other) => (median(other.samples) < median(one.samples) ? other : one))
    tables.push({ unit: 'ms', caption: `${name}, ${place}`, against: 'piscina', rows })
    targets.push(
      target(`${name} ≤ ${limits[name]}× the best peer's (${best.who}), ${place}`, ratio(own.samples, best.samples), {
        atMost: limits[name]
      })
    )
  }
  return { tables, targets }
}

module.exports = {
  title: 'One call at a time',
  what: 'A number echo is awaited before the next is made: the way there and back. A busy machine may keep the main thread and a worker on one core, where no spinning helps; so it is measured with them apart too. Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  run: (setting) =>
    withRivals(2, async (contestants) => {
      const results = [await measure(contestants, setting, 'cores as the kernel chooses', TOGETHER)]
      if (canPlaceThreads()) {
        results.unshift(
          await withMainApart(() => measure(contestants, setting, 'main thread on a core of its own', APART))
        )
      }
      return {
        tables: results.flatMap(({ tables }) => tables),
        targets: results.flatMap(({ targets }) => targets)
      }
    })
}
