'use strict'

const path = require('node:path')
const { Pool } = require('../..')
const { alternate, ratio } = require('../lib/measure')
const { rowsOf, target } = require('../lib/report')

const filename = path.join(__dirname, '..', 'workers', 'rspool.js')

/**
 * Milliseconds per submission, while up to `count` tasks wait.
 * @param {number} count
 * @param {boolean} withDeadline
 */
async function submit(count, withDeadline) {
  const pool = new Pool({ filename, minThreads: 1, maxThreads: 1 })
  await pool.ready()
  pool.pause()
  const soon = Date.now() + 3_600_000
  const start = performance.now()
  for (let i = 0; i < count; i++) pool.run(i, withDeadline ? { deadline: soon + i } : { priority: 0 }).catch(() => {})
  const time = performance.now() - start
  await pool.destroy()
  return time / count
}

module.exports = {
  title: 'Queued tasks with deadlines',
  what: 'Time of a submission to a paused pool, with a deadline each and without. Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds, quick }) {
    const count = quick ? 200_000 : 1_000_000
    const ways = [
      { name: 'with deadlines', withDeadline: true },
      { name: 'without', withDeadline: false }
    ]
    const samples = await alternate(ways, Math.min(rounds, 5), ({ withDeadline }) => {
      globalThis.gc?.()
      return submit(count, withDeadline)
    })
    const of = (/** @type {string} */ name) => /** @type {number[]} */ (samples.get(name))
    return {
      tables: [{ unit: 'ms', against: 'without', rows: rowsOf(samples) }],
      targets: [target('≤ 1.5× without', ratio(of('with deadlines'), of('without')), { atMost: 1.5 })]
    }
  }
}
