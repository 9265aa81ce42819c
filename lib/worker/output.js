'use strict'

// The output that this isolate has written and its owner has not read yet. With `outputFirst`, a result waits for it.

const { storeAtomic } = require('../native/primordials')
const { PORT_MESSAGE } = require('../payload/port')

/**
 * An output whose writes are counted, each until its callback says that the owner has read it.
 * @typedef {object} Counted
 * @property {number} unread
 * @property {(then: () => void) => void} whenRead calls back when all output so far has been read
 */

/** @typedef {(chunks: unknown[], callback: (error?: Error | null) => void) => void} Write */

const output = {
  /** How many writes a result has to wait for. */
  ahead: 0,

  /**
   * Counts the writes from now on.
   * @param {Int32Array} told whose only element tells the owner how many writes are on their way
   * @param {boolean} isFirst whether results wait for the output
   */
  follow(told, isFirst) {
    let unread = 0
    const count = (/** @type {1 | -1} */ by) => {
      storeAtomic(told, 0, (unread += by))
      if (isFirst) output.ahead = unread
    }
    streams = [process.stdout, process.stderr].map((stream) => counted(stream, count))
  },

  /**
   * Resolves when the output has been read, or when the owner cannot read.
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

  /** The owner's loop is blocked, so it cannot read: lets results go. */
  giveUp() {
    for (const resolve of waiting) resolve()
    waiting.clear()
  }
}

/** @type {Counted[]} */
let streams = []
/** The results that wait. @type {Set<() => void>} */
const waiting = new Set()

/**
 * @param {NodeJS.WriteStream} stream
 * @param {(by: 1 | -1) => void} count
 * @returns {Counted}
 */
function counted(stream, count) {
  const { write } = stream
  // If a script has ended its output, nothing waits for it.
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
        // The stream goes on with the writes that came meanwhile.
        callback(error)
        sent(-1)
      })
    }
  })
  return result
}

module.exports = { output }
