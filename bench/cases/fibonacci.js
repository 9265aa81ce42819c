'use strict'

const assert = require('node:assert')
const { once } = require('node:events')
const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { Pool } = require('../..')
const { alternate, ratio } = require('../lib/measure')
const { rowsOf, target } = require('../lib/report')

const filename = path.join(__dirname, '..', 'workers', 'compute.js')
const fibonacci = require(filename)
const TIMES = 16
const N = 32

module.exports = {
  title: 'fib(32) × 16',
  what: 'The same recursion 16 times: on the main thread, on 2 bare Workers that get half of it each (what the machine has to give), and on 2 workers as a script and as a native task. Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds, quick }) {
    const pool = new Pool({ filename, minThreads: 2, maxThreads: 2 })
    const bare = Array.from({ length: 2 }, () => new Worker(filename, { workerData: 'bare' }))
    const half = async (/** @type {Worker} */ worker) => {
      const results = []
      for (let i = 0; i < TIMES / 2; i++) {
        worker.postMessage(N)
        results.push((await once(worker, 'message'))[0])
      }
      return results
    }
    const all = (/** @type {(i: number) => any} */ call) =>
      Promise.all(Array.from({ length: TIMES }, (_, i) => call(i)))
    const ways = [
      { name: 'main thread', run: () => all(() => fibonacci(N)) },
      { name: '2 bare Workers', run: async () => (await Promise.all(bare.map(half))).flat() },
      { name: 'script, 2 workers', run: () => all(() => pool.run(N)) },
      { name: 'native, 2 workers', run: () => all(() => pool.runTask('math.fibonacci', N)) }
    ]
    const samples = await alternate(ways, quick ? 2 : rounds, async ({ run }) => {
      const start = performance.now()
      const results = await run()
      const time = performance.now() - start
      assert.deepStrictEqual(results, Array(TIMES).fill(2_178_309))
      return time
    })
    await Promise.all([pool.close(), ...bare.map((worker) => worker.terminate())])
    const of = (/** @type {number} */ i) => /** @type {number[]} */ (samples.get(ways[i].name))
    return {
      tables: [{ unit: 'ms', against: 'main thread', rows: rowsOf(samples) }],
      targets: [
        target('script ≥ 1.8× the main thread', ratio(of(0), of(2)), { atLeast: 1.8 }),
        target('native ≥ 1.8× the main thread', ratio(of(0), of(3)), { atLeast: 1.8 })
      ]
    }
  }
}
