'use strict'

// The parts of an error that the engine clones: a built-in class by its name, a message, a cause and a stack. Loaded
// for the first error.

const { types } = require('node:util')
const { cloneByEngine, errorClasses } = require('../native/primordials')

const { getOwnPropertyDescriptor, getPrototypeOf, hasOwn } = Object
const { isNativeError, isProxy } = types

const names = errorClasses.map(({ name }) => name)
const prototypes = new Set(errorClasses.map(({ prototype }) => /** @type {object} */ (prototype)))
const platformProto = DOMException.prototype

/** Whether a clone has the cause, which depends on the version of Node.js. */
const keepsCause = cloneByEngine(withStack(new Error('', { cause: true }))).cause === true

/** Keeps the stack from being made, since that would run code of the program. @param {Error} error */
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
 * The number of the class that a clone has; -1 if the name is no text.
 * @param {unknown} name
 */
function classOf(name) {
  // Errors with any other name have the first class.
  return typeof name === 'string' ? Math.max(0, names.indexOf(name)) : -1
}

/**
 * An own property, if it is no accessor.
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
