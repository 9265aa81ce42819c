'use strict'

const assert = require('node:assert')
const { withRivals } = require('../lib/rivals')
const { timesOfBuffers } = require('../lib/buffers')

const megabyte = () => new Uint8Array(2 ** 20).map((_, i) => i * 31)

module.exports = {
  title: '1 MB buffer there and back by transferList',
  what: 'The memory itself is handed to the script and back by move(); the result is the next input. Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  run: (setting) =>
    withRivals(2, async (contestants) => {
      const buffers = new Map()
      for (const { name, bounce } of contestants) {
        const given = megabyte()
        assert.deepStrictEqual(await bounce(given), megabyte(), name)
        assert.strictEqual(given.length, 0, `${name} does not take the memory`)
        buffers.set(name, Array.from({ length: 16 }, megabyte))
      }
      return timesOfBuffers(
        contestants,
        setting,
        ({ name, bounce }) => {
          const free = buffers.get(name)
          return async () => free.push(await bounce(free.pop()))
        },
        0.9
      )
    })
}
