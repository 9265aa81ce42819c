'use strict'

const assert = require('node:assert')
const { Pool } = require('../..')
const { companions } = require('../lib/companions')
const { contests } = require('../lib/contests')
const { notInstalled } = require('../lib/installed')
const { alternate, interval, median, ratios } = require('../lib/measure')
const { UNITS, short } = require('../lib/report')

/** @param {any} value @param {unknown} other */
function sizes(value, other) {
  const own = value.data ?? value
  if (!Buffer.isBuffer(own) || !Buffer.isBuffer(other)) return ''
  return `${own.length.toLocaleString('en-US')} (${short(own.length / other.length)}×)`
}

/** The task, and the params that its peers have too. @param {import('../lib/contests').Contest} contest */
function nameOf({ task, params = {} }) {
  if ('level' in params) return `${task}, level ${params.level}`
  return 'width' in params ? `${task}, to ${params.width}` : task
}

module.exports = {
  title: 'Native tasks',
  what: 'The time of one call on one worker, from call to result, over that of the same work on the main thread, which it blocks, or in another pool; the input is lent. Beside it the bytes of what was compressed, over those of the other. Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds, quick, part }) {
    const scale = quick ? 0.2 : 1
    const wanted = (/** @type {string} */ task) =>
      part === undefined || part.split(',').some((name) => task.includes(name))
    const chosen = [...contests(scale).filter(({ task }) => wanted(task)), ...(await companions(scale, wanted))]
    const pool = new Pool({ minThreads: 1, maxThreads: 1 })
    const { show } = UNITS.ms
    const lines = [['', 'rspool', 'there', 'ratio', '90 %', 'bytes', 'beside']]
    for (const contest of chosen) {
      const { task, input, params, peer, rival } = contest
      const call = () => pool.runTask(task, input, { params })
      const given = await call()
      assert.ok(given !== undefined)
      const theirs = await rival()
      const bytes = /^compress|^image/.test(task) ? sizes(given, theirs) : ''
      const samples = await alternate(
        [
          { name: 'rspool', call },
          { name: 'rival', call: async () => rival() }
        ],
        rounds,
        async ({ call }) => {
          const start = performance.now()
          await call()
          return performance.now() - start
        }
      )
      const [own, other] = ['rspool', 'rival'].map((name) => /** @type {number[]} */ (samples.get(name)))
      const all = ratios(own, other)
      const [low, high] = interval(all)
      lines.push([
        nameOf(contest),
        show(median(own)),
        show(median(other)),
        short(median(all)),
        `${short(low)}–${short(high)}`,
        bytes,
        peer
      ])
    }
    await pool.close()
    const missing = notInstalled()
    return { tables: [{ lines, ...(missing !== '' && { caption: missing }) }], targets: [] }
  }
}
