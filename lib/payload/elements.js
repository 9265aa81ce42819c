'use strict'

// The properties of arrays besides their elements.

const { inspect } = require('node:util')
const { hasOwn, keysOf } = require('../native/primordials')

/** The keys of longer arrays are not counted: that would make a string per key. */
const FEW_KEYS = 64
/** How many elements of a long array are looked for. */
const SAMPLES = 8

/** Options of `inspect` that show an array without its elements, at the same price however many there are. */
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
 * Whether an array has no properties but its elements, of which some may be missing.
 * @param {unknown[]} array
 * @param {number} length
 */
function hasOnlyElements(array, length) {
  if (length <= FEW_KEYS) return keysOf(array).length === length
  return inspect(array, ELEMENTS_ONLY) === `[ ... ${length} more items ]`
}

/**
 * Whether most elements seem to be missing. If so, only the existing ones are written.
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
