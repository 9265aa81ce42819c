'use strict'

const assert = require('node:assert')
const { withRivals } = require('../lib/rivals')
const { timesOfBuffers } = require('../lib/buffers')

const megabyte = new Uint8Array(2 ** 20).map((_, i) => i * 31)

module.exports = {
  title: '1 MB buffer echo by copy',
  what: 'A script gives a Uint8Array of 1 MB back, copied there and back. Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  run: (setting) =>
    withRivals(2, async (contestants) => {
      for (const { echo } of contestants) assert.deepStrictEqual(await echo(megabyte), megabyte)
      return timesOfBuffers(
        contestants,
        setting,
        ({ echo }) =>
          () =>
            echo(megabyte),
        0.7
      )
    })
}
