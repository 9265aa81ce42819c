'use strict'

// The callers in this thread that wait for a change in a shared map. The doorbell rings when there may be a change, and now
// and then besides. Each caller then looks at its key.

const { hold, release, setMapRing } = require('../native/environment')

/**
 * @typedef {object} Waiter
 * @property {import('../native/addon').NativeMap} native
 * @property {string} key
 * @property {() => boolean} look returns true once the waiter need not wait any longer
 */

/** @type {Set<Waiter>} */
const waiting = new Set()

/**
 * Adds a waiter. Its `look` is called now, and whenever the key may have changed, until `look` returns true.
 * @param {Waiter} waiter
 * @returns {() => void} ends the wait
 */
function wait(waiter) {
  setMapRing(lookAll)
  waiting.add(waiter)
  hold()
  try {
    waiter.native.wait(true)
    look(waiter)
  } catch (error) {
    leave(waiter)
    throw error
  }
  return () => leave(waiter)
}

/** @param {Waiter} waiter */
function leave(waiter) {
  if (!waiting.delete(waiter)) return
  waiter.native.wait(false)
  release()
}

/** @param {Waiter} waiter */
function look(waiter) {
  // Announced before the look, so that a change after the look rings the doorbell.
  waiter.native.announce(waiter.key)
  if (waiter.look()) leave(waiter)
}

function lookAll() {
  for (const waiter of [...waiting]) if (waiting.has(waiter)) look(waiter)
}

module.exports = { wait }
