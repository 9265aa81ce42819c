'use strict'

// Encodes arrays: numbers as in a typed array, texts by their lengths, arrays with many holes by their keys, other arrays
// one value after another.

const { hasOwn, keysOf } = require('../native/primordials')
const { FEW_KEYS, hasOnlyElements, isSparse } = require('./elements')
const { isInt, keepNumbers, numbersFor, putByte, putHead, putLength, putString, putText } = require('./output')
const { TAGS: T, TEXT, UNSUPPORTED } = require('./tags')

/** Arrays of at least this length may be encoded as numbers or as texts. */
const ROW = 16
/** An array with more holes than this may be sparse. */
const FEW_HOLES = 64
/** The engine encodes longer ones. */
const LONGEST = 0xffffff

/** @typedef {(value: unknown) => void} Write */

/**
 * @param {unknown[]} array
 * @param {Write} write
 */
function writeArray(array, write) {
  const length = array.length
  if (length > LONGEST) throw UNSUPPORTED
  if (!hasOnlyElements(array, length) || isSparse(array, length)) return writeSparse(array, length, write)
  let i = 0
  let holes = 0
  let value = length > 0 ? array[0] : undefined
  const isRow = length >= ROW
  if (isRow && (typeof value === 'number' || typeof value === 'string')) {
    i = typeof value === 'number' ? writeNumbers(array, length, value, write) : writeTexts(array, length, value)
    if (i === length) return
    value = other
    other = undefined
  } else putHead(T.ARRAY, length)
  while (i < length) {
    if (value !== undefined || hasOwn(array, i)) write(value)
    else {
      // The array has as many keys as elements, and yet a hole: so it has another property.
      if (length <= FEW_KEYS || (++holes > FEW_HOLES && holes > i >> 1)) throw UNSUPPORTED
      putByte(T.HOLE)
    }
    if (++i < length) value = array[i]
  }
}

/** The first element of another kind than those before it. @type {unknown} */
let other

/**
 * Writes an array as numbers. If it has other elements, writes only the numbers before the first of these.
 * @param {unknown[]} array
 * @param {number} length
 * @param {number} first
 * @param {Write} write
 * @returns how many elements are written
 */
function writeNumbers(array, length, first, write) {
  const doubles = numbersFor(length)
  let ints = true
  let value = /** @type {unknown} */ (first)
  let i = 0
  for (;;) {
    const n = /** @type {number} */ (value)
    doubles[i] = n
    if (ints && !isInt(n)) ints = false
    if (++i === length) break
    value = array[i]
    if (typeof value !== 'number') return writeMixed(length, doubles, i, value, write)
  }
  keepNumbers(doubles, ints)
  return length
}

/**
 * @param {number} length
 * @param {Float64Array} doubles
 * @param {number} count of the numbers in `doubles`
 * @param {unknown} next the element after them
 * @param {Write} write
 */
function writeMixed(length, doubles, count, next, write) {
  // A copy, since the memory of `doubles` is written to.
  const numbers = new Float64Array(count)
  for (let i = 0; i < count; i++) numbers[i] = doubles[i]
  putHead(T.ARRAY, length)
  for (let i = 0; i < count; i++) write(numbers[i])
  other = next
  return count
}

/**
 * Writes an array of texts, or the texts with which it begins.
 * @param {unknown[]} array
 * @param {number} length
 * @param {string} first
 * @returns how many elements are written
 */
function writeTexts(array, length, first) {
  putHead(T.TEXTS, length)
  let value = /** @type {unknown} */ (first)
  let i = 0
  while (typeof value === 'string') {
    putText(value)
    if (++i === length) return length
    value = array[i]
  }
  putByte(TEXT.ENDS)
  other = value
  return i
}

/**
 * @param {unknown[]} array
 * @param {number} length
 * @param {Write} write
 */
function writeSparse(array, length, write) {
  const keys = keysOf(array)
  putHead(T.SPARSE, length)
  putLength(keys.length)
  for (const key of keys) {
    putString(key)
    write(/** @type {Record<string, unknown>} */ (/** @type {unknown} */ (array))[key])
  }
}

module.exports = { LONGEST, writeArray }
