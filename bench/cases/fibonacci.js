'use strict'

const assert = require('node:assert')
const path = require('node:path')
const { Pool } = require('../..')
const { alternate, ratio } = require('../lib/measure')
const { rowsOf, target } = require('../lib/report')

const filename = path.join(__dirname, '..', 'workers', 'compute.js')
const fibonacci = require(filename)
const TIMES = 16
const N = 32

module.exports = {
  title: 'fib(32) × 16',
  what: 'The same recursion 16 times: on the main thread, and on 2 workers as a script and as a native task. Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds, quick }) {
    const pool = new Pool({ filename, minThreads: 2, maxThreads: 2 })
    const all = (/** @type {(i: number) => any} */ call) =>
      Promise.all(Array.from({ length: TIMES }, (_, i) => call(i)))
    const ways = [
      { name: 'main thread', call: async () => fibonacci(N) },
      { name: 'script, 2 workers', call: () => pool.run(N) },
      { name: 'native, 2 workers', call: () => pool.runTask('math.fibonacci', N) }
    ]
    const samples = await alternate(ways, quick ? 2 : rounds, async ({ call }) => {
      const start = performance.now()
      const results = await all(call)
      const time = performance.now() - start
      assert.deepStrictEqual(results, Array(TIMES).fill(2_178_309))
      return time
    })
    await pool.close()
    const of = (/** @type {number} */ i) => /** @type {number[]} */ (samples.get(ways[i].name))
    return {
      tables: [{ unit: 'ms', against: 'main thread', rows: rowsOf(samples) }],
      targets: [
        target('script ≥ 1.8× the main thread', ratio(of(0), of(1)), { atLeast: 1.8 }),
        target('native ≥ 1.8× the main thread', ratio(of(0), of(2)), { atLeast: 1.8 })
      ]
    }
  }
}
