'use strict'

// Values that another process decodes. That process does not know the shapes of this one, so key lists are sent in
// full. There is no port either, so the engine's serialiser encodes the values that the encoding does not know.

const { decode } = require('./decode')
const { encode, UNSUPPORTED } = require('./encode')
const { Frame, scratch } = require('../native/memory')
const { Bytes, cloneByEngine } = require('../native/primordials')

/** The encodings of a message. */
const PLAIN = 0
const ENGINE = 1

/**
 * @param {unknown} value
 * @returns {{ tag: number, bytes: Uint8Array }} the bytes must be read before the next value is encoded
 * @throws {DOMException} DataCloneError, for a value that structuredClone refuses, or that only a port can carry
 */
function encodeMessage(value) {
  let encoded
  try {
    encoded = encode(value, true)
  } catch (error) {
    if (error !== UNSUPPORTED) throw error
    return { tag: ENGINE, bytes: serialize(value) }
  }
  // Not by `subarray`, which a program may have replaced by code that encodes another value.
  return { tag: PLAIN, bytes: typeof encoded === 'number' ? new Bytes(scratch.memory, 0, encoded) : encoded }
}

/** @param {unknown} value */
function serialize(value) {
  try {
    return require('node:v8').serialize(value)
  } catch (cause) {
    // If the engine refuses the value, too, the error is the engine's.
    cloneByEngine(value)
    throw new DOMException(`It could not be cloned for another process: ${messageOf(cause)}`, 'DataCloneError')
  }
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error)
}

/**
 * @param {number} tag
 * @param {ArrayBuffer} memory that has no other owner
 * @returns {unknown}
 */
function decodeMessage(tag, memory) {
  if (tag === ENGINE) return require('node:v8').deserialize(new Uint8Array(memory))
  return decode(new Frame(memory), 0)
}

module.exports = { encodeMessage, decodeMessage }
