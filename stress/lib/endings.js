'use strict'

// Runs many processes that end in the middle of their work, a few at a time.

const path = require('node:path')
const { randomFrom } = require('./random')
const { runNode } = require('./runner')

const CHILD = path.join(__dirname, '..', 'children', 'end.js')
const AT_ONCE = 2
const LIMIT = 30_000

/**
 * @param {{ count: number, seed: number }} given
 * @param {string[]} hows
 * @param {(ended: import('./runner').Ended) => boolean} isRight
 */
async function endInTheMiddle({ count, seed }, hows, isRight) {
  const random = randomFrom(seed)
  let round = 0
  const next = async () => {
    while (round < count) {
      const how = hows[round++ % hows.length]
      const ms = random.below(50)
      const ended = await runNode(process.execPath, [CHILD, how, String(ms)], LIMIT)
      if (ended.hung || ended.signal !== null || !isRight(ended)) {
        throw new Error(`'${how}' after ${ms} ms ended with ${JSON.stringify(ended, undefined, 2)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, next))
}

module.exports = { endInTheMiddle }
