'use strict'

// Runs a script that was written for bare worker_threads. The script gets each input as a message of its parent, and
// the first message that it posts is the result. One task runs at a time.

const { parentPort } = require('node:worker_threads')
const { cloneByEngine } = require('../native/primordials')
const { move } = require('../payload/move')

/** @typedef {import('node:worker_threads').Transferable} Transferable */
/**
 * The second argument of a message to the parent.
 * @typedef {readonly Transferable[] | { transfer?: readonly Transferable[] }} Transfer
 */

/** @type {((value: unknown) => void) | undefined} */
let answer
/** @type {Promise<unknown>} */
let last = Promise.resolve()
let listening = false

function listen() {
  if (listening) return
  listening = true
  const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort)
  const post = port.postMessage.bind(port)
  port.postMessage = (/** @type {unknown} */ value, /** @type {Transfer} */ transfer = []) => {
    const list = [
      ...('transfer' in transfer ? (transfer.transfer ?? []) : /** @type {readonly Transferable[]} */ (transfer))
    ]
    if (answer === undefined) return post(value, list)
    // A copy, since the script may change the value after posting.
    const [copy, moved] = cloneByEngine([value, list], { transfer: list })
    const resolve = answer
    answer = undefined
    resolve(moved.length > 0 ? move(copy, moved) : copy)
  }
}

/**
 * @param {unknown} input
 * @returns {Promise<unknown>}
 */
function run(input) {
  last = last.then(() => new Promise((resolve) => deliver(input, resolve)))
  return last
}

/**
 * Gives an input to the listener. An error that the listener throws is uncaught, and ends this worker: the task rejects
 * with it.
 * @param {unknown} input
 * @param {(value: unknown) => void} resolve
 */
function deliver(input, resolve) {
  answer = resolve
  const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort)
  port.emit('message', input)
}

module.exports = { listen, run }
