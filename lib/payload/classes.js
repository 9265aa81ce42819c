'use strict'

// Finds out which objects are nothing but their own properties, so that `structuredClone` gives a plain object with
// these for them. Objects of the platform are not, nor are objects whose prototype a program has replaced.

const { types } = require('node:util')
const {
  arrayProto,
  charCodeAt,
  cloneByEngine,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  isArray,
  keysOf,
  objectProto,
  tagOf
} = require('../native/primordials')

/** @param {object} object whose kind its prototype and keys do not tell */
function isBare(object) {
  return (
    tagOf(object) === '[object Object]' &&
    !types.isMap(object) &&
    !types.isSet(object) &&
    !types.isPromise(object) &&
    !types.isAnyArrayBuffer(object) &&
    !ArrayBuffer.isView(object) &&
    !types.isWeakMap(object) &&
    !types.isWeakSet(object) &&
    !types.isGeneratorObject(object) &&
    !types.isMapIterator(object) &&
    !types.isSetIterator(object) &&
    !types.isBoxedPrimitive(object) &&
    !types.isModuleNamespaceObject(object) &&
    !types.isExternal(object)
  )
}

/** Whether the instances of a class are ordinary, by its prototype. @type {WeakMap<object, boolean>} */
const known = new WeakMap()
/** The most values of an instance to look at before the engine is asked about it. */
const MANY = 1000

/**
 * Whether an object of a program's class is nothing but its properties. Only the engine can tell it from an object of
 * the platform, so the engine is asked about one instance per class, in which no code of the program would run.
 * @param {object} object
 * @param {object} proto
 */
function isOrdinary(object, proto) {
  const ordinary = known.get(proto)
  if (ordinary !== undefined) return ordinary
  left = MANY
  if (!areInert(object)) return false
  const is = isPlainWhenCloned(object)
  known.set(proto, is)
  return is
}

/** @param {object} object */
function isPlainWhenCloned(object) {
  try {
    return getPrototypeOf(cloneByEngine(object)) === objectProto
  } catch {
    return false
  }
}

let left = 0

/**
 * Whether all properties are primitive values, or plain data of primitive values.
 * @param {object} object
 * @returns {boolean}
 */
function areInert(object) {
  for (const key of keysOf(object)) {
    const property = getOwnPropertyDescriptor(object, key)
    if (--left < 0 || property === undefined || !('value' in property) || !isInert(property.value)) return false
  }
  return true
}

/** @param {unknown} value */
function isInert(value) {
  if (typeof value === 'function' || typeof value === 'symbol') return false
  if (typeof value !== 'object' || value === null) return true
  if (types.isProxy(value)) return false
  const proto = getPrototypeOf(value)
  return (proto === objectProto || (proto === arrayProto && isArray(value))) && areInert(value)
}

/**
 * Whether an object seems to have only primitive values.
 * @param {object} object
 * @param {string[]} keys
 */
function isFlat(object, keys) {
  return (
    isPrimitive(object, keys[0]) &&
    isPrimitive(object, keys[keys.length >> 1]) &&
    isPrimitive(object, keys[keys.length - 1])
  )
}

/**
 * @param {object} object
 * @param {string} key
 */
function isPrimitive(object, key) {
  const property = getOwnPropertyDescriptor(object, key)
  if (property === undefined || property.get !== undefined || property.set !== undefined) return false
  return (typeof property.value !== 'object' || property.value === null) && typeof property.value !== 'function'
}

/** @param {string} key */
function isIndex(key) {
  const first = charCodeAt(key, 0)
  return first >= 48 && first <= 57
}

module.exports = { isBare, isFlat, isIndex, isOrdinary }
