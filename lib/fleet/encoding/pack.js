'use strict'

// Packs an encoding into one piece of bytes, for a store.

const { malformed } = require('./kinds')

const VERSION = 1
/** The header of packed bytes: the version, and the lengths of the text and of the list of parts. */
const HEADER = 12

/** @typedef {import('./kinds').Encoded} Encoded */

/** How many bytes the result of `pack` has. @param {Encoded} encoded */
function packedSize({ text, parts }) {
  return parts.reduce((sum, part) => sum + 4 + part.byteLength, HEADER + Buffer.byteLength(text))
}

/**
 * Packs an encoding: the version, the length of the text, the number of parts, the text, and each part after its
 * length. Numbers are of 32 bits, little-endian.
 * @param {Encoded} encoded
 */
function pack({ text, parts }) {
  const words = Buffer.from(text)
  const sizes = parts.map(({ byteLength }) => {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(byteLength)
    return size
  })
  const header = Buffer.alloc(HEADER)
  header.writeUInt32LE(VERSION, 0)
  header.writeUInt32LE(words.length, 4)
  header.writeUInt32LE(parts.length, 8)
  return Buffer.concat([header, words, ...parts.flatMap((part, i) => [sizes[i], part])])
}

/**
 * @param {Uint8Array} given
 * @returns {Encoded}
 */
function unpack(given) {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength)
  if (bytes.length < HEADER) throw malformed('it is cut off')
  const version = bytes.readUInt32LE(0)
  if (version !== VERSION) throw malformed(`it is of version ${version}, and this is version ${VERSION}`)
  let at = HEADER + bytes.readUInt32LE(4)
  if (at > bytes.length) throw malformed('it is cut off')
  const text = bytes.toString('utf8', HEADER, at)
  const parts = []
  for (let left = bytes.readUInt32LE(8); left > 0; left--) {
    if (at + 4 > bytes.length) throw malformed('it is cut off')
    const end = at + 4 + bytes.readUInt32LE(at)
    if (end > bytes.length) throw malformed('it is cut off')
    parts.push(bytes.subarray(at + 4, end))
    at = end
  }
  if (at !== bytes.length) throw malformed('it is too long')
  return { text, parts }
}

module.exports = { VERSION, pack, unpack, packedSize }
