'use strict'

// A buffer that a native task reads in place, while the caller keeps it.

const { types } = require('node:util')
const { invalidArgument } = require('../errors')
const { show } = require('../pool/options/validate')

/** A lent buffer is refused where the receiver cannot read it in place. */
function refuse() {
  throw invalidArgument('A buffer that is lent must be the input of a native task, or a member of it')
}

class Lent {
  #buffer

  /** @param {ArrayBufferView | ArrayBufferLike} buffer */
  constructor(buffer) {
    this.#buffer = buffer
    Object.defineProperty(this, 'lent', { enumerable: true, get: refuse })
  }

  /** @param {object} value */
  static read(value) {
    return #buffer in value ? value.#buffer : undefined
  }
}

/**
 * @template {ArrayBufferView | ArrayBufferLike} T
 * @param {T} buffer
 */
function lend(buffer) {
  const memory = ArrayBuffer.isView(buffer) ? buffer.buffer : buffer
  if (!types.isAnyArrayBuffer(memory)) {
    throw invalidArgument(`lend() takes a Buffer, a typed array, a DataView or an ArrayBuffer, got ${show(buffer)}`)
  }
  // A resize could free its memory.
  if (/** @type {{ resizable?: boolean }} */ (memory).resizable === true)
    throw invalidArgument('lend() takes no buffer that can be resized')
  return new Lent(buffer)
}

/**
 * The buffer that is lent, if the value is a lent one.
 * @param {object} value
 */
function lentOf(value) {
  return Lent.read(value)
}

module.exports = { lend, lentOf }
