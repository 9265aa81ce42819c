'use strict'

// What there is to an array besides its elements.

const { inspect } = require('node:util')
const { hasOwn, keysOf } = require('../native/primordials')

/** The keys of longer arrays are not counted: that makes a string of each. */
const FEW_KEYS = 64
/** Elements of a long array that are looked for. */
const SAMPLES = 8

/** How an array is shown whose elements are left out: at the same price, however many there are. */
const ELEMENTS_ONLY = Object.freeze({
  maxArrayLength: 0,
  breakLength: Infinity,
  depth: 0,
  colors: false,
  compact: true,
  customInspect: false,
  getters: false,
  numericSeparator: false,
  showHidden: false,
  sorted: false
})

/**
 * Whether an array has no other properties than its elements, of which some may be missing.
 * @param {unknown[]} array
 * @param {number} length
 */
function hasOnlyElements(array, length) {
  if (length <= FEW_KEYS) return keysOf(array).length === length
  return inspect(array, ELEMENTS_ONLY) === `[ ... ${length} more items ]`
}

/**
 * Whether most elements seem to be missing: then it is the others that are written.
 * @param {unknown[]} array
 * @param {number} length
 */
function isSparse(array, length) {
  if (length <= FEW_KEYS) return false
  let missing = 0
  for (let i = 0; i < SAMPLES; i++) if (!hasOwn(array, Math.floor((i * length) / SAMPLES))) missing++
  return missing > SAMPLES / 2
}

module.exports = { FEW_KEYS, hasOnlyElements, isSparse }
