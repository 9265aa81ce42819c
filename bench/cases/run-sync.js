'use strict'

const assert = require('node:assert')
const { execFileSync } = require('node:child_process')
const path = require('node:path')
const { Pool } = require('../..')
const { alternate, ratio } = require('../lib/measure')
const { rowsOf, target } = require('../lib/report')

const workers = path.join(__dirname, '..', 'workers')

/**
 * How many blocking calls end per second.
 * @param {(i: number) => unknown} call
 * @param {number} ms
 */
function rate(call, ms) {
  const start = performance.now()
  let made = 0
  while (performance.now() - start < ms) call(made++)
  return made / ((performance.now() - start) / 1000)
}

/** synckit is no dependency of this project. It is measured if another package has brought it. */
async function synckit() {
  try {
    const { createSyncFn } = await import('synckit')
    return createSyncFn(path.join(workers, 'synckit.mjs'))
  } catch {}
}

module.exports = {
  title: 'Calls that block',
  what: 'An echo from a worker while the calling thread is blocked, and a process that does nothing. Higher is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds, ms }) {
    const pool = new Pool({ filename: path.join(workers, 'rspool.js'), minThreads: 1, maxThreads: 1 })
    const own = (/** @type {number} */ i) => pool.runSync({ i })
    const peer = await synckit()
    const child = () => execFileSync(process.execPath, ['-e', ''])
    assert.deepStrictEqual(own(1), { i: 1 })
    const contestants = [
      { name: 'rspool', call: own },
      ...(peer === undefined ? [] : [{ name: 'synckit', call: (/** @type {number} */ i) => peer({ i }) }]),
      { name: 'execFileSync', call: child }
    ]
    const samples = await alternate(contestants, rounds, ({ call }) => rate(call, ms))
    await pool.close()
    const of = (/** @type {string} */ name) => /** @type {number[]} */ (samples.get(name))
    const targets =
      peer === undefined ? [] : [target('≥ 1× synckit', ratio(of('rspool'), of('synckit')), { atLeast: 1 })]
    return { tables: [{ unit: 'rate', against: 'execFileSync', rows: rowsOf(samples) }], targets }
  }
}
