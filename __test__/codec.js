'use strict'

const { Frame, scratch } = require('../lib/native/memory')
const { decode } = require('../lib/payload/decode')
const { encode } = require('../lib/payload/encode')

/** A value as it comes out of our encoding. @param {unknown} value @returns {any} */
function through(value) {
  const encoded = encode(value)
  const bytes = typeof encoded === 'number' ? scratch.bytes.subarray(0, encoded) : encoded
  const frame = new Frame(new ArrayBuffer(bytes.length))
  frame.bytes.set(bytes)
  return decode(frame, 0)
}

module.exports = { through }
