'use strict'

// Dictionaries of primitive values, by the engine's own serialiser: if keys do not recur, nothing else makes the
// objects as fast.

const { Serializer, Deserializer } = require('node:v8')
const { UNSUPPORTED } = require('./tags')

/** The tags of the format. A value with any other tag goes through a port. */
const OBJECT = 0x6f
const OBJECT_END = 0x7b
const LATIN1 = 0x22
const TWO_BYTE = 0x63
const INT = 0x49
const UINT = 0x55
const DOUBLE = 0x4e
const BIGINT = 0x5a
const PADDING = 0
/** The tags of true, false, null and undefined. */
const CONSTANTS = [0x54, 0x46, 0x30, 0x5f]

class Strict extends Serializer {
  _writeHostObject() {
    throw UNSUPPORTED
  }

  _getDataCloneError() {
    return UNSUPPORTED
  }
}

/**
 * @param {object} object
 * @returns {Buffer | undefined} undefined if it has values that are not primitive
 */
function serialize(object) {
  const serializer = new Strict()
  serializer.writeHeader()
  serializer.writeValue(object)
  const bytes = serializer.releaseBuffer()
  return isFlat(bytes) ? bytes : undefined
}

/** @param {Uint8Array} bytes */
function deserialize(bytes) {
  const deserializer = new Deserializer(bytes)
  deserializer.readHeader()
  return deserializer.readValue()
}

let at = 0

/**
 * Whether the bytes are those of one object of primitive values.
 * @param {Buffer} bytes
 */
function isFlat(bytes) {
  at = 2
  if (bytes[at++] !== OBJECT) return false
  while (bytes[at] !== OBJECT_END) if (!skip(bytes)) return false
  at++
  skipNumber(bytes)
  return at === bytes.length
}

/**
 * Passes over a key or a value.
 * @param {Buffer} bytes
 */
function skip(bytes) {
  let tag = bytes[at++]
  while (tag === PADDING) tag = bytes[at++]
  switch (tag) {
    case INT:
    case UINT:
      skipNumber(bytes)
      return true
    case LATIN1:
    case TWO_BYTE:
      skipBytes(skipNumber(bytes))
      return true
    case DOUBLE:
      skipBytes(8)
      return true
    case BIGINT:
      // The lowest bit is the sign.
      skipBytes(skipNumber(bytes) >>> 1)
      return true
    default:
      return CONSTANTS.includes(tag)
  }
}

/** @param {number} count */
function skipBytes(count) {
  at += count
}

/**
 * @param {Buffer} bytes
 * @returns {number} the number, if it is a length
 */
function skipNumber(bytes) {
  let number = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]
    number |= (byte & 0x7f) << shift
    if (!(byte >= 0x80)) return number
  }
}

module.exports = { serialize, deserialize }
