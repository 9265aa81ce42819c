'use strict'

// Which objects are nothing but their own properties, so that a plain object with these is what `structuredClone`
// gives for them: not those of the platform, and not those in whose place a program has put another prototype.

const { types } = require('node:util')
const {
  arrayProto,
  charCodeAt,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  isArray,
  keysOf,
  objectProto,
  tagOf
} = require('../native/primordials')

/** @param {object} object whose prototype, keys or both do not tell what it is */
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

/** Whether the instances of a class are, by its prototype. @type {WeakMap<object, boolean>} */
const known = new WeakMap()
/** Values of an instance that are looked at to find one which the engine may be asked about. */
const MANY = 1000

/**
 * Whether an object of a program's class is. The engine alone can tell it from an object of the platform, so it is
 * asked about one of each class: one in which nothing of the program's would run.
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
    return getPrototypeOf(structuredClone(object)) === objectProto
  } catch {
    return false
  }
}

let left = 0

/**
 * Whether all properties are primitive values, or plain data of such.
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
 * Whether an object seems to have primitive values only.
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
