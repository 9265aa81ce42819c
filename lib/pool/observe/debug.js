'use strict'

// The output of `NODE_DEBUG=rspool` on stderr: how pools and their isolates begin and end, and why.

const { debuglog } = require('node:util')
const { ENDING } = require('../../native/wire')

/** Costs next to nothing unless it is switched on. */
const log = debuglog('rspool')

/** @typedef {InstanceType<typeof import('../isolates/isolate').Isolate>} Isolate */

/** Why the scheduler has an isolate ended. @type {Record<number, string>} */
const WHY = {
  [ENDING.GIVEN_UP]: "its task was given up and had not stopped after 'abortGrace'",
  [ENDING.LEAVES_LATE]: 'it was told to end, and something of its script keeps it',
  [ENDING.CLOSED_LATE]: 'the pool has closed, and something of its script keeps it'
}

/**
 * @param {string} label of the pool
 * @param {string} text
 */
function tellPool(label, text) {
  log('pool %s %s', label, text)
}

/**
 * @param {{ label: string }} pool
 * @param {{ number: number, threadId?: number }} isolate
 * @param {string} text
 */
function tell({ label }, { number, threadId }, text) {
  if (log.enabled) log('pool %s: worker %d (thread %s) %s', label, number, threadId ?? '-', text)
}

/** @param {number} ending */
function whyEnded(ending) {
  return WHY[ending] ?? 'the pool was destroyed'
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error)
}

module.exports = { tell, tellPool, whyEnded, messageOf }
