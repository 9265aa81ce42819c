'use strict'

const { canPlaceThreads, withMainApart } = require('../lib/cores')
const { alternate, latencies, median, percentile, ratio, sleep } = require('../lib/measure')
const { withRivals } = require('../lib/rivals')
const { rowsOf, target } = require('../lib/report')

const quantiles = /** @type {const} */ ([
  { name: 'p50', limit: 1 / 3, text: '≤ 1/3 of' },
  { name: 'p99', limit: 1, text: 'not above' }
])

/**
 * @param {import('../lib/rivals').Contestant[]} contestants
 * @param {import('../lib/peers').Setting} setting
 * @param {string} place
 * @returns {Promise<import('../lib/report').Result>}
 */
async function measure(contestants, { rounds, ms }, place) {
  const samples = await alternate(contestants, rounds, async ({ echo }) => {
    // What the last one left running comes to rest.
    await sleep(20)
    const times = await latencies(echo, ms)
    return { p50: median(times), p99: percentile(times, 0.99) }
  })
  const tables = []
  const targets = []
  for (const { name, limit, text } of quantiles) {
    const rows = rowsOf(samples, (sample) => sample[name])
    const [own, ...peers] = rows
    const best = peers.reduce((one, other) => (median(other.samples) < median(one.samples) ? other : one))
    tables.push({ unit: 'ms', caption: `${name}, ${place}`, against: 'piscina', rows })
    targets.push(
      target(`${name} ${text} the best peer's (${best.who}), ${place}`, ratio(own.samples, best.samples), {
        atMost: limit
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
      const results = [await measure(contestants, setting, 'cores as the kernel chooses')]
      if (canPlaceThreads()) {
        results.unshift(await withMainApart(() => measure(contestants, setting, 'main thread on a core of its own')))
      }
      return {
        tables: results.flatMap(({ tables }) => tables),
        targets: results.flatMap(({ targets }) => targets)
      }
    })
}
