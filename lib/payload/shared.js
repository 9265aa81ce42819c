'use strict'

// Which values go through a port because of shared memory in them. To find that by encoding them takes as long as the
// port itself, so where the last such value had it is where it is looked for first.

const { types } = require('node:util')
const { bufferOf, getOwnPropertyDescriptor, hasOwn, isArray, keysOf } = require('../native/primordials')

/** Objects of more keys are not looked through. */
const MANY = 32

/** Whether any value had shared memory: until then none is asked about it. */
let known = false
/** Where the last object had it. @type {string | undefined} */
let place

/** @param {unknown} value */
function isShared(value) {
  return types.isSharedArrayBuffer(value) || (types.isTypedArray(value) && types.isSharedArrayBuffer(bufferOf(value)))
}

/**
 * What an object has under a key, without running code of a program.
 * @param {object} object
 * @param {string} key
 */
function own(object, key) {
  const property = getOwnPropertyDescriptor(object, key)
  return property !== undefined && hasOwn(property, 'value') ? property.value : undefined
}

/**
 * Whether an object has shared memory for sure. Nothing of a program's runs.
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
