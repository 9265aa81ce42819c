'use strict'

const path = require('node:path')
const { PerformanceObserver } = require('node:perf_hooks')
const { Pool } = require('../..')
const { alternate, ratio, sleep } = require('../lib/measure')
const { rowsOf, target } = require('../lib/report')

const filename = path.join(__dirname, '..', 'workers', 'rspool.js')
const COUNTS = [1, 100, 10_000, 1_000_000]
/** The least number of tasks per sample. */
const ENOUGH = 100_000

/**
 * Submits `count` tasks in one go.
 * @param {any} pool
 * @param {number} count
 */
function submit(pool, count) {
  return new Promise((resolve, reject) => {
    let left = count
    const settled = () => {
      if (--left === 0) resolve(undefined)
    }
    for (let i = 0; i < count; i++) pool.run(i).then(settled, reject)
  })
}

module.exports = {
  title: 'From 1 to 1,000,000 queued tasks',
  what: 'Time for each number echo when so many are submitted in one go. A million promises keep V8’s garbage collection busy whoever makes them, so its part is shown apart. Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds, quick }) {
    const pool = new Pool({ filename, minThreads: 2, maxThreads: 2 })
    let collecting = 0
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) collecting += duration
    })
    observer.observe({ entryTypes: ['gc'] })
    const counts = COUNTS.map((count) => ({ name: `${count.toLocaleString('en-US')} at once`, count }))
    const samples = await alternate(counts, quick ? 1 : Math.min(rounds, 5), async ({ count }) => {
      const times = Math.max(1, ENOUGH / count / (count === 1 ? 10 : 1))
      globalThis.gc?.()
      await sleep(50)
      collecting = 0
      const start = performance.now()
      for (let i = 0; i < times; i++) await submit(pool, count)
      const time = performance.now() - start
      // The observer gets its entries a little later.
      await sleep(50)
      return { all: time / (times * count), own: Math.max(time - collecting, 0) / (times * count) }
    })
    observer.disconnect()
    await pool.close()
    const all = rowsOf(samples, (sample) => sample.all)
    const own = rowsOf(samples, (sample) => sample.own)
    const against = counts[2].name
    return {
      tables: [
        { unit: 'ms', caption: 'all', against, rows: all },
        { unit: 'ms', caption: 'without garbage collection', against, rows: own }
      ],
      targets: [
        target('1,000,000 at once ≤ 2× the cost of 10,000, collection aside', ratio(own[3].samples, own[2].samples), {
          atMost: 2
        })
      ]
    }
  }
}
