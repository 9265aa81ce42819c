'use strict'

// The channel between the primary and a process, as far as Node.js exposes it.

/**
 * Counts the bytes that wait in this program to be written to the other end.
 * @param {NodeJS.Process | import('node:child_process').ChildProcess} end
 * @returns {() => number} 0 if this version of Node.js does not expose its channel
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
