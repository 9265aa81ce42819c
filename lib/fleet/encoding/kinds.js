'use strict'

// What both ends of an encoding know: the kinds of objects that it has a word for, and its limits.

const { RspoolError } = require('../../errors')

/** Deeper values are refused at both ends: both are recursive. */
const MAX_DEPTH = 1000

/** @type {Record<string, new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView>} */
const VIEWS = Object.assign(Object.create(null), {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView
})
const { Float16Array } = /** @type {{ Float16Array?: typeof Float32Array }} */ (globalThis)
if (Float16Array !== undefined) Object.assign(VIEWS, { Float16Array })

/** @type {Record<string, ErrorConstructor>} */
const ERRORS = Object.assign(Object.create(null), {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError
})

/**
 * An encoded value.
 * @typedef {object} Encoded
 * @property {string} text
 * @property {Uint8Array[]} parts the bytes of its ArrayBuffers, not copied
 */

/** @param {string} why */
function malformed(why) {
  return new RspoolError('ERR_RSPOOL_BAD_ENVELOPE', `A value that another machine sent cannot be read: ${why}`)
}

module.exports = { MAX_DEPTH, VIEWS, ERRORS, malformed }
