'use strict'

// Values that another process decodes. It knows nothing that this one has learnt, so key lists go along in full; and
// there is no port, so what the encoding does not know goes by the engine's serialiser.

const { decode } = require('./decode')
const { encode, UNSUPPORTED } = require('./encode')
const { Frame, scratch } = require('../native/memory')

/** What the bytes of a message are. */
const PLAIN = 0
const ENGINE = 1

/**
 * @param {unknown} value
 * @returns {{ tag: number, bytes: Uint8Array }} bytes to be read before the next value is encoded
 * @throws {DOMException} DataCloneError, for what structuredClone refuses and for what only a port can carry
 */
function encodeMessage(value) {
  let encoded
  try {
    encoded = encode(value, true)
  } catch (error) {
    if (error !== UNSUPPORTED) throw error
    return { tag: ENGINE, bytes: serialize(value) }
  }
  return { tag: PLAIN, bytes: typeof encoded === 'number' ? scratch.bytes.subarray(0, encoded) : encoded }
}

/** @param {unknown} value */
function serialize(value) {
  try {
    return require('node:v8').serialize(value)
  } catch (cause) {
    // In its own words, if it refuses, too.
    structuredClone(value)
    throw new DOMException(`It could not be cloned for another process: ${messageOf(cause)}`, 'DataCloneError')
  }
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error)
}

/**
 * @param {number} tag
 * @param {ArrayBuffer} memory that belongs to nobody else
 * @returns {unknown}
 */
function decodeMessage(tag, memory) {
  if (tag === ENGINE) return require('node:v8').deserialize(new Uint8Array(memory))
  return decode(new Frame(memory), 0)
}

module.exports = { encodeMessage, decodeMessage }
