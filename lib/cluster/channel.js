'use strict'

// The channel between the primary and a process, as far as Node shows it.

/**
 * Counts the bytes that wait in this program to be written to the other end.
 * @param {NodeJS.Process | import('node:child_process').ChildProcess} end
 * @returns {() => number} 0 where this version of Node keeps its channel to itself
 */
function queuedBytes(end) {
  /** @type {symbol|undefined} */
  let symbol
  return () => {
    symbol ??= Object.getOwnPropertySymbols(end).find(({ description }) => description === 'kChannelHandle')
    const handle = symbol === undefined ? undefined : Reflect.get(end, symbol)
    return handle?.writeQueueSize ?? 0
  }
}

module.exports = { queuedBytes }
