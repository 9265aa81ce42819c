'use strict'

// Which values go through a port because they contain shared memory. Finding this by encoding takes as long as the port
// itself, so the place where the last such value had its shared memory is tested first.

const { types } = require('node:util')
const { bufferOf, getOwnPropertyDescriptor, hasOwn, isArray, keysOf } = require('../native/primordials')

/** Objects with more keys are not searched. */
const MANY = 32

/** Whether any value had shared memory. Until then no value is tested. */
let known = false
/** The key under which the last object had shared memory. @type {string | undefined} */
let place

/** @param {unknown} value */
function isShared(value) {
  return types.isSharedArrayBuffer(value) || (types.isTypedArray(value) && types.isSharedArrayBuffer(bufferOf(value)))
}

/**
 * The value of an object under a key, without running code of the program.
 * @param {object} object
 * @param {string} key
 */
function own(object, key) {
  const property = getOwnPropertyDescriptor(object, key)
  return property !== undefined && hasOwn(property, 'value') ? property.value : undefined
}

/**
 * Whether an object is known to have shared memory. No code of the program runs.
 * @param {object} object
 */
function isKnownToShare(object) {
  if (!known) return false
  return isShared(object) || (place !== undefined && !types.isProxy(object) && isShared(own(object, place)))
}

/**
 * Looks for shared memory in an object that could not be encoded.
 * @param {object} object
 */
function noteShared(object) {
  if (isShared(object)) known = true
  if (types.isProxy(object) || ArrayBuffer.isView(object) || (isArray(object) && object.length > MANY)) return
  const keys = keysOf(object)
  if (keys.length > MANY) return
  for (let i = 0; i < keys.length; i++) {
    if (!isShared(own(object, keys[i]))) continue
    known = true
    place = keys[i]
    return
  }
}

module.exports = { isKnownToShare, noteShared }
