'use strict'

// What there is to an error when the engine clones it: a built-in class by its name, a message, a cause and a stack.
// Loaded with the first one.

const { types } = require('node:util')
const { cloneByEngine, errorClasses } = require('../native/primordials')

const { getOwnPropertyDescriptor, getPrototypeOf, hasOwn } = Object
const { isNativeError, isProxy } = types

const names = errorClasses.map(({ name }) => name)
const prototypes = new Set(errorClasses.map(({ prototype }) => /** @type {object} */ (prototype)))
const platformProto = DOMException.prototype

/** Whether a clone has the cause: not on all versions of Node.js. */
const keepsCause = cloneByEngine(withStack(new Error('', { cause: true }))).cause === true

/** Has the stack not be made, by which code of the program's would run. @param {Error} error */
function withStack(error) {
  error.stack = ''
  return error
}

/**
 * Whether an object is an error of the language, and not one of the platform that looks like it.
 * @param {object} object
 * @param {object | null} proto
 * @returns {object is Error}
 */
function isException(object, proto) {
  if (!isNativeError(object)) return false
  for (let each = proto; each !== null && !isProxy(each); each = getPrototypeOf(each)) {
    if (prototypes.has(each)) return true
    if (each === platformProto) return false
  }
  return false
}

/**
 * The number of the class that a clone is of; -1 if the name is no text.
 * @param {unknown} name
 */
function classOf(name) {
  // Others are of the first class.
  return typeof name === 'string' ? Math.max(0, names.indexOf(name)) : -1
}

/**
 * An own property that is no accessor.
 * @param {object} error
 * @param {'message' | 'cause'} key
 * @returns {{ value?: unknown } | undefined}
 */
function dataOf(error, key) {
  if (key === 'cause' && !keepsCause) return undefined
  const property = getOwnPropertyDescriptor(error, key)
  return property !== undefined && hasOwn(property, 'value') ? property : undefined
}

module.exports = { isException, classOf, dataOf }
