'use strict'

// The values of shared maps. Strings, numbers, booleans and null cross as they are. The rest is encoded as for a task,
// in a form that another process understands.

const { types } = require('node:util')
const { invalidArgument } = require('../errors')
const { cells, Frame, scratch } = require('../native/memory')
const { Bytes, sliceBuffer } = require('../native/primordials')
const { CELL, FORM, MAP_CELL, MAP_VALUE, TAG, VIEW } = require('../native/wire')
const { encode: encodePlain, UNSUPPORTED } = require('../payload/encode')
const { decodeBytes } = require('../payload/values')
const { viewType } = require('../payload/views')
const { show } = require('../pool/options/validate')
const { cells: out, frame } = require('./memory')

/** Beyond this, a bigint of 64 bits is stored as a whole number, as a count is that has grown so large. */
const EXACT = 2n ** 53n

/**
 * Gives the argument that a native call takes for a value: the value itself, or bytes that the cells describe. No code of
 * the user may run before that call.
 * @param {unknown} value
 * @param {string} what for messages
 * @returns {unknown}
 */
function describe(value, what) {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value
    case 'bigint':
      if (BigInt.asIntN(64, value) === value && (value > EXACT || value < -EXACT)) return value
      return elsewhere(TAG.BIGINT, Buffer.from(value.toString(16), 'latin1'))
    case 'object':
      if (value === null) return value
      if (ArrayBuffer.isView(value)) {
        const type = viewType(value)
        if (type >= 0 && types.isArrayBuffer(value.buffer))
          return elsewhere(TAG.VIEW | (type << 8), new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
      } else if (types.isArrayBuffer(value))
        return elsewhere(TAG.VIEW | (VIEW.ARRAY_BUFFER << 8), new Uint8Array(value))
      return encodeData(value, what)
    default:
      throw refusal(value, what)
  }
}

/** @param {unknown} value @param {string} what @param {unknown} [cause] */
function refusal(value, what, cause) {
  return invalidArgument(
    `${what} must be a string, a number, a boolean, null, a bigint, bytes or plain data, got ${show(value)}`,
    cause === undefined ? undefined : { cause }
  )
}

/** @param {number} tag @param {Uint8Array} bytes */
function elsewhere(tag, bytes) {
  cells[CELL.TAG] = tag
  cells[CELL.FORM] = FORM.ELSEWHERE
  return bytes
}

/** @param {object} value @param {string} what */
function encodeData(value, what) {
  let encoded
  try {
    encoded = encodePlain(value, true)
  } catch (error) {
    if (error === UNSUPPORTED) throw refusal(value, what)
    throw error
  }
  if (typeof encoded !== 'number') return elsewhere(TAG.CODEC, encoded)
  cells[CELL.TAG] = TAG.CODEC
  cells[CELL.FORM] = FORM.BYTES
  cells[CELL.LENGTH] = encoded
  return undefined
}

/**
 * Holds a described value for later, since other values may be encoded in between. No code of the user runs here.
 * @param {unknown} described
 * @returns {{ value: unknown, tag: number }}
 */
function hold(described) {
  const tag = cells[CELL.TAG]
  if (described === undefined) return { value: new Bytes(sliceBuffer(scratch.memory, 0, cells[CELL.LENGTH])), tag }
  return { value: types.isUint8Array(described) ? new Bytes(described) : described, tag }
}

/** @param {{ value: unknown, tag: number }} held @returns {unknown} the argument that a native call takes for it */
function resume({ value, tag }) {
  return ArrayBuffer.isView(value) ? elsewhere(tag, /** @type {Uint8Array} */ (value)) : value
}

/**
 * Decodes the value that a map has given. It lies in the memory of maps, or in a buffer of its own.
 * @param {ArrayBuffer|Uint8Array} given
 * @returns {unknown}
 */
function decode(given) {
  const tag = out[MAP_CELL.TAG]
  const length = out[MAP_CELL.LENGTH]
  if (types.isArrayBuffer(given)) return decodeBytes(new Frame(given), tag, length, 0)
  return decodeBytes(frame, tag, length, MAP_VALUE.AT)
}

/** Whether the value that a map has just given can be frozen and kept: JavaScript has put it, or a native task has. */
function isData() {
  return out[MAP_CELL.TAG] === TAG.CODEC || out[MAP_CELL.TAG] === TAG.JSON
}

const { freeze, getPrototypeOf, values } = Object

/**
 * Freezes an object and all that is in it. If something in it cannot be frozen, freezes nothing and returns false.
 * @param {object} value just decoded
 */
function freezeAll(value) {
  /** @type {Set<object>} */
  const all = new Set([value])
  for (const object of all) {
    if (!Array.isArray(object) && getPrototypeOf(object) !== Object.prototype) return false
    for (const each of values(object)) if (typeof each === 'object' && each !== null) all.add(each)
  }
  for (const object of all) freeze(object)
  return true
}

module.exports = { describe, hold, resume, decode, isData, freezeAll }
