'use strict'

const { measureInChild } = require('../lib/child')
const { alternate, median, ratio } = require('../lib/measure')
const { rowsOf, target } = require('../lib/report')

const kinds = [
  { name: 'native worker', kind: 'native', count: 64 },
  { name: 'isolate', kind: 'isolate', count: 8 },
  { name: 'bare Worker', kind: 'bare', count: 8 }
]

module.exports = {
  title: 'Memory of a worker',
  what: 'Resident memory that each further worker adds in a fresh process: 64 busy native workers, 8 isolates, 8 bare Workers of node:worker_threads with the same script. Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds, quick }) {
    const samples = await alternate(
      kinds,
      quick ? 1 : Math.min(rounds, 5),
      async ({ kind, count }) => (await measureInChild('memory-worker', kind, count)).bytes
    )
    const [native, isolate, bare] = [...samples.values()]
    return {
      tables: [{ unit: 'bytes', against: 'bare Worker', rows: rowsOf(samples) }],
      targets: [
        target('native worker ≤ 64 kB', median(native), { atMost: 65_536 }, 'bytes'),
        target('isolate ≤ 1.1× a bare Worker', ratio(isolate, bare), { atMost: 1.1 })
      ]
    }
  }
}
