'use strict'

// What this isolate has written and its owner has not read yet. A result waits for it where output is to be out first.

const { PORT_MESSAGE } = require('../payload/port')

/**
 * An output whose writes are counted, each until its callback says that the owner has read it.
 * @typedef {object} Counted
 * @property {number} unread
 * @property {(then: () => void) => void} whenRead called when what has been written so far is read
 */

/** @typedef {(chunks: unknown[], callback: (error?: Error | null) => void) => void} Write */

const output = {
  /** How many writes a result has to wait for. */
  ahead: 0,

  /**
   * Counts what is written from now on.
   * @param {Int32Array} told whose only element tells the owner how many writes are on their way
   * @param {boolean} isFirst whether results wait for it
   */
  follow(told, isFirst) {
    let unread = 0
    const count = (/** @type {1 | -1} */ by) => {
      Atomics.store(told, 0, (unread += by))
      if (isFirst) output.ahead = unread
    }
    streams = [process.stdout, process.stderr].map((stream) => counted(stream, count))
  },

  /**
   * Resolves when what has been written is read, or when the owner can read nothing.
   * @param {import('node:worker_threads').MessagePort} port
   * @param {() => void} look has the owner look into its port if its loop is blocked
   * @returns {Promise<void>}
   */
  wait(port, look) {
    port.postMessage([PORT_MESSAGE.HOLD])
    look()
    return new Promise((resolve) => {
      waiting.add(resolve)
      output.whenRead(() => {
        waiting.delete(resolve)
        resolve()
      })
    })
  },

  /** @param {() => void} then */
  whenRead(then) {
    const unread = streams.filter((stream) => stream.unread > 0)
    let left = unread.length
    if (left === 0) return then()
    for (const stream of unread) {
      stream.whenRead(() => {
        if (--left === 0) then()
      })
    }
  },

  /** The owner's loop is blocked: it reads nothing. */
  giveUp() {
    for (const resolve of waiting) resolve()
    waiting.clear()
  }
}

/** @type {Counted[]} */
let streams = []
/** Results that wait. @type {Set<() => void>} */
const waiting = new Set()

/**
 * @param {NodeJS.WriteStream} stream
 * @param {(by: 1 | -1) => void} count
 * @returns {Counted}
 */
function counted(stream, count) {
  const { write } = stream
  // A script that has ended its output waits for nothing.
  const whenRead = (/** @type {() => void} */ then) => {
    if (stream.writable) write.call(stream, '', undefined, then)
    else then()
  }
  const result = { unread: 0, whenRead }
  const { _writev: send } = /** @type {{ _writev?: Write | null }} */ (/** @type {unknown} */ (stream))
  if (typeof send !== 'function') return result
  const sent = (/** @type {1 | -1} */ by) => {
    result.unread += by
    count(by)
  }
  Object.defineProperty(stream, '_writev', {
    configurable: true,
    writable: true,
    /** @type {Write} */
    value(chunks, callback) {
      sent(1)
      send.call(stream, chunks, (error) => {
        // It goes on with what was written meanwhile.
        callback(error)
        sent(-1)
      })
    }
  })
  return result
}

module.exports = { output }
