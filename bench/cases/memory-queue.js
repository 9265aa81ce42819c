'use strict'

const { measureInChild } = require('../lib/child')
const { alternate, median } = require('../lib/measure')
const { rowsOf, target } = require('../lib/report')

const COUNT = 1_000_000

module.exports = {
  title: 'Memory of a queued task',
  what: 'A million number tasks wait behind one that never ends: what each takes outside V8’s heap, and in it (promise, ticket). Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds, quick }) {
    const samples = await alternate([{ name: 'rspool' }], quick ? 1 : Math.min(rounds, 3), () =>
      measureInChild('memory-queue', COUNT)
    )
    const [native] = rowsOf(samples, (sample) => sample.native)
    const [heap] = rowsOf(samples, (sample) => sample.heap)
    return {
      tables: [
        {
          unit: 'bytes',
          rows: [
            { ...native, who: 'scheduler' },
            { ...heap, who: 'V8 heap' }
          ]
        }
      ],
      targets: [
        target('native memory of a queued number ≤ 200 bytes', median(native.samples), { atMost: 200 }, 'bytes')
      ]
    }
  }
}
