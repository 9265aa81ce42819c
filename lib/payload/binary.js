'use strict'

// Encodes binary data: buffers, and views with their buffers.

const { types } = require('node:util')
const { Bytes, bufferProto, getPrototypeOf } = require('../native/primordials')
const { putBlock, putBytes, putHead, putLength } = require('./output')
const { numberOf } = require('./references')
const { TAGS: T, UNSUPPORTED } = require('./tags')
const { viewType, isDetached, slabBytes } = require('./views')

/** The engine encodes longer ones. */
const LONGEST = 0x3fffffff

/** @typedef {import('./views').Resizable} Resizable */

/**
 * @param {ArrayBufferView} view
 * @param {object} proto its prototype
 */
function writeView(view, proto) {
  const type = viewType(view, proto)
  if (type < 0) throw UNSUPPORTED
  const { buffer } = view
  if (!types.isArrayBuffer(buffer) || /** @type {Resizable} */ (buffer).resizable) throw UNSUPPORTED
  const own = slabBytes(view, proto)
  putBytes(T.VIEW, type)
  putLength(own === undefined ? view.byteOffset : 0)
  putLength(view.byteLength)
  // A number for the buffer among the objects. Nothing else can refer to it.
  const number = numberOf(own === undefined ? buffer : {})
  if (number >= 0) putHead(T.REF, number)
  else if (own === undefined) writeBuffer(buffer)
  else writeBytes(own)
}

/** @param {ArrayBuffer} buffer */
function writeBuffer(buffer) {
  if (/** @type {Resizable} */ (buffer).resizable || getPrototypeOf(buffer) !== bufferProto) throw UNSUPPORTED
  // The engine refuses it, with its own message.
  if (isDetached(buffer)) throw UNSUPPORTED
  writeBytes(new Bytes(buffer))
}

/** @param {Uint8Array} bytes */
function writeBytes(bytes) {
  if (bytes.length > LONGEST) throw UNSUPPORTED
  putBlock(T.BUFFER, bytes)
}

module.exports = { writeBuffer, writeView }
