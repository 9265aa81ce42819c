'use strict'

const { measureInChild } = require('../lib/child')
const { alternate, median } = require('../lib/measure')
const { rowsOf, target } = require('../lib/report')
const { names } = require('../lib/rivals')

module.exports = {
  title: 'Loading the library',
  what: 'require() in a fresh process with files in the page cache (import() for tinypool, which is ESM only), and the threads it starts. Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds }) {
    const samples = await alternate(
      names.map((name) => ({ name })),
      rounds,
      ({ name }) => measureInChild('startup', name)
    )
    const times = rowsOf(samples, ({ ms }) => ms)
    const threads = rowsOf(samples, (sample) => sample.threads)
    return {
      tables: [
        { unit: 'ms', caption: 'on the clock', against: 'piscina', rows: times },
        {
          unit: 'ms',
          caption: 'of the processor, all threads',
          against: 'piscina',
          rows: rowsOf(samples, ({ cpu }) => cpu)
        },
        { unit: 'count', caption: 'threads started', rows: threads }
      ],
      targets: [
        target("require('rspool') ≤ 15 ms", median(times[0].samples), { atMost: 15 }, 'ms'),
        target('threads started by require', Math.max(...threads[0].samples), { atMost: 0 }, 'count')
      ]
    }
  }
}
