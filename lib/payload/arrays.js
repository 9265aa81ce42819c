'use strict'

// Arrays, to bytes: of numbers as a typed array has them, with many holes by their keys, others one value after another.

const { hasOwn, keysOf } = require('../native/primordials')
const { FEW_KEYS, hasOnlyElements, isSparse } = require('./elements')
const { isInt, keepNumbers, numbersFor, putByte, putHead, putLength, putString } = require('./output')
const { TAGS: T, UNSUPPORTED } = require('./tags')

/** Arrays from this length on are tried as numbers only. */
const ROW = 16
/** An array has more holes than that before it is taken for a sparse one. */
const FEW_HOLES = 64
/** Longer ones are the engine's. */
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
  if (length >= ROW && typeof value === 'number') {
    i = writeNumbers(array, length, value, write)
    if (i === length) return
    value = other
    other = undefined
  } else putHead(T.ARRAY, length)
  while (i < length) {
    if (value !== undefined || hasOwn(array, i)) write(value)
    else {
      // As many keys as elements, but a hole: another property makes up for it.
      if (length <= FEW_KEYS || (++holes > FEW_HOLES && holes > i >> 1)) throw UNSUPPORTED
      putByte(T.HOLE)
    }
    if (++i < length) value = array[i]
  }
}

/** The first element that was no number. @type {unknown} */
let other

/**
 * Writes an array as numbers as far as it has only these; if it has others, the numbers that come before.
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
 * @param {number} count of those that are in their memory
 * @param {unknown} next what follows
 * @param {Write} write
 */
function writeMixed(length, doubles, count, next, write) {
  // Where they are is written to.
  const numbers = new Float64Array(count)
  for (let i = 0; i < count; i++) numbers[i] = doubles[i]
  putHead(T.ARRAY, length)
  for (let i = 0; i < count; i++) write(numbers[i])
  other = next
  return count
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
