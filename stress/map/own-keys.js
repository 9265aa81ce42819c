'use strict'

// The keys that only one process writes. The value of each is known, except for a step that was begun and not done.

const { KEYS, keyCell } = require('./ledger')
const { numberOf } = require('./values')

/** Whether a step of a key puts a value. Otherwise the step deletes the key. @param {number} step */
const puts = (step) => step % 8 !== 0

/** @param {number} seat @param {number} key */
const nameOf = (seat, key) => `own:${seat}:${key}`

/**
 * Throws unless a key has the value that its last step left or, if that step was killed, the one before.
 * @param {import('../../lib/shared-map').SharedMap} map
 * @param {import('./ledger').Ledger} ledger
 * @param {number} seat
 * @param {number} key
 */
function checkKey(map, ledger, seat, key) {
  const name = nameOf(seat, key)
  const begun = ledger.get(keyCell(key))
  const done = ledger.get(keyCell(key) + 1)
  const value = map.get(name)
  const steps = [begun, done]
  const good =
    value === undefined
      ? steps.some((step) => !puts(step))
      : steps.some((step) => puts(step) && step === numberOf(name, value))
  if (!good) throw new Error(`lost: ${name} has ${String(value).slice(0, 80)} after step ${done}, with ${begun} begun`)
}

/** @type {(map: import('../../lib/shared-map').SharedMap, ledger: import('./ledger').Ledger, seat: number) => void} */
function checkKeys(map, ledger, seat) {
  for (let key = 0; key < KEYS; key++) checkKey(map, ledger, seat, key)
}

module.exports = { puts, nameOf, checkKey, checkKeys }
