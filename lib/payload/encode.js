'use strict'

// Encodes plain data exactly as `structuredClone` would clone it, but faster. A value for which this code cannot know
// the result (a platform object, a proxy, shared memory …) is refused with UNSUPPORTED, and the caller sends it through
// a port.

const { types } = require('node:util')
const {
  arrayProto,
  dateProto,
  getPrototypeOf,
  getTime,
  hasOwn,
  isArray,
  keysOf,
  mapForEach,
  mapProto,
  objectProto,
  regExpProto,
  setForEach,
  setProto
} = require('../native/primordials')
const { LONGEST, writeArray } = require('./arrays')
const { writeBuffer, writeView } = require('./binary')
const { isBare, isFlat, isIndex, isOrdinary } = require('./classes')
const { hasOnlyElements } = require('./elements')
const {
  begin,
  finish,
  leaveOutput,
  putBlock,
  putByte,
  putDouble,
  putHead,
  putNumber,
  putShape,
  putString
} = require('./output')
const { flagsOf, sourceOf } = require('./patterns')
const { areShared, forget, numberOf, references, restore } = require('./references')
const { shapeOf } = require('./shapes')
const { TAGS: T, UNSUPPORTED } = require('./tags')

/** Deeper values are written without recursion. */
const MAX_DEPTH = 256
/** An object with more keys than this, which do not recur, may be a dictionary. */
const MANY_KEYS = 12

/** An object of any kind, by its keys. @typedef {Record<string, unknown>} Keyed */

let depth = 0
/** Whether another process reads the value, which does not know the shapes of this one. */
let abroad = false

/** @param {unknown} value */
function write(value) {
  switch (typeof value) {
    case 'number':
      return putNumber(value)
    case 'string':
      return putString(value)
    case 'boolean':
      return putByte(value ? T.TRUE : T.FALSE)
    case 'undefined':
      return putByte(T.UNDEFINED)
    case 'bigint':
      putByte(T.BIGINT)
      return putString(value.toString(16))
    case 'object':
      return value === null ? putByte(T.NULL) : writeObject(value)
    default:
      throw UNSUPPORTED
  }
}

/**
 * Writes a reference if the object was written before.
 * @param {object} object
 */
function wasSeen(object) {
  const number = numberOf(object)
  if (number < 0) return false
  putHead(T.REF, number)
  return true
}

/** @param {object} object */
function writeObject(object) {
  if (wasSeen(object)) return
  if (++depth > MAX_DEPTH) writeDeep(object)
  else writeNew(object)
  depth--
}

/** Loaded for the first error. @type {typeof import('./errors').writeError | undefined} */
let writeError

/** @param {object} object that has not been written before */
function writeNew(object) {
  if (types.isProxy(object)) throw UNSUPPORTED
  const proto = getPrototypeOf(object)
  if (proto === objectProto) writePlain(object)
  else if (isArray(object)) {
    if (proto !== arrayProto) throw UNSUPPORTED
    writeArray(object, write)
  } else if (proto === dateProto && types.isDate(object)) putDouble(T.DATE, getTime(object))
  else if (proto === mapProto && types.isMap(object)) {
    const entries = /** @type {unknown[]} */ ([])
    mapForEach(object, (value, key) => entries.push(key, value))
    writeList(T.MAP, entries)
  } else if (proto === setProto && types.isSet(object)) {
    const values = /** @type {unknown[]} */ ([])
    setForEach(object, (value) => values.push(value))
    writeList(T.SET, values)
  } else if (ArrayBuffer.isView(object)) writeView(object, /** @type {object} */ (proto))
  else if (types.isArrayBuffer(object)) writeBuffer(object)
  else if (proto === regExpProto && types.isRegExp(object)) writeRegExp(object)
  else if (types.isNativeError(object)) {
    writeError ??= require('./errors').writeError
    writeError(object, proto, write)
  } else if (proto === null ? isBare(object) : isOrdinary(object, proto)) writeProperties(object, keysOf(object))
  else throw UNSUPPORTED
}

/** @param {object} object */
function writePlain(object) {
  const keys = keysOf(object)
  // Built-ins whose prototype was replaced have internal slots but no keys, or index keys.
  if ((keys.length === 0 || isIndex(keys[0])) && !isBare(object)) throw UNSUPPORTED
  writeProperties(object, keys)
}

/**
 * Writes the keys of an object as a number, if they have one.
 * @param {string[]} keys
 */
function writeShape(keys) {
  const shape = abroad || keys.length === 0 || isIndex(keys[0]) ? undefined : shapeOf(keys)
  if (shape !== undefined) putShape(shape.id)
  return shape
}

/**
 * @param {object} object
 * @param {string[]} keys
 */
function writeProperties(object, keys) {
  const shape = writeShape(keys)
  if (shape !== undefined) return shape.write(write, object)
  if (keys.length > MANY_KEYS && isFlat(object, keys)) return writeDictionary(object)
  putHead(T.OBJECT, keys.length)
  for (const key of keys) {
    putString(key)
    write(/** @type {Keyed} */ (object)[key])
  }
}

/** Loaded for the first dictionary. @type {typeof import('./engine').serialize | undefined} */
let serialize

/** @param {object} object */
function writeDictionary(object) {
  serialize ??= require('./engine').serialize
  const bytes = serialize(object)
  // The port reads the object once more, as it does with every refused value.
  if (bytes === undefined) throw UNSUPPORTED
  putBlock(T.ENGINE, bytes)
}

/**
 * @param {number} type
 * @param {unknown[]} list
 */
function writeList(type, list) {
  putHead(type, list.length)
  for (let i = 0; i < list.length; i++) write(list[i])
}

/** @param {object} object */
function writeRegExp(object) {
  putByte(T.REGEXP)
  putString(sourceOf(object))
  putString(flagsOf(object))
}

// ---- without recursion, which would take more stack the deeper a value is -----------------------

/**
 * An object whose parts are being written. `outer` is the object that it is a part of.
 * @typedef {{ object: object, keys: string[] | undefined, isNamed: boolean, count: number, at: number, outer: Open | undefined }} Open
 */

/** @param {object} root */
function writeDeep(root) {
  putByte(T.DEEP)
  let top = open(root, undefined)
  while (top !== undefined) {
    if (top.at === top.count) {
      top = top.outer
      continue
    }
    const { object, keys } = top
    const i = top.at++
    if (top.isNamed) putString(/** @type {string[]} */ (keys)[i])
    const value = /** @type {Keyed} */ (object)[keys === undefined ? i : keys[i]]
    if (value === undefined && keys === undefined && !hasOwn(object, i)) throw UNSUPPORTED
    if (typeof value !== 'object' || value === null) write(value)
    else if (!wasSeen(value)) top = open(value, top) ?? top
  }
}

/**
 * Writes the bytes before the parts of an object, or the whole object if it has no parts.
 * @param {object} object
 * @param {Open | undefined} outer
 * @returns {Open | undefined} undefined if the object is complete
 */
function open(object, outer) {
  if (types.isProxy(object)) throw UNSUPPORTED
  const proto = getPrototypeOf(object)
  if (isArray(object)) {
    const { length } = object
    if (proto !== arrayProto || length > LONGEST || !hasOnlyElements(object, length)) throw UNSUPPORTED
    putHead(T.ARRAY, length)
    return { object, keys: undefined, isNamed: false, count: length, at: 0, outer }
  }
  const isPlain = proto === objectProto
  if (!isPlain && !(proto === null ? isBare(object) : isOrdinary(object, proto))) {
    if (types.isMap(object) || types.isSet(object) || types.isNativeError(object)) throw UNSUPPORTED
    writeNew(object)
    return undefined
  }
  const keys = keysOf(object)
  if (isPlain && (keys.length === 0 || isIndex(keys[0])) && !isBare(object)) throw UNSUPPORTED
  const isNamed = writeShape(keys) === undefined
  if (isNamed) putHead(T.OBJECT, keys.length)
  return { object, keys, isNamed, count: keys.length, at: 0, outer }
}

/**
 * Encodes a value, in a frame of its own: a getter in it may encode another.
 * @param {unknown} value
 * @param {boolean} [leaves] whether another process reads it
 * @returns {number | Buffer} how many bytes of `scratch`, or bytes elsewhere; valid until the next value is encoded
 */
function encode(value, leaves = false) {
  const wasAbroad = abroad
  const outerDepth = depth
  const outer = begin()
  const outerReferences = outer === undefined ? undefined : references()
  abroad = leaves
  depth = 0
  try {
    write(value)
    return finish(areShared())
  } finally {
    abroad = wasAbroad
    depth = outerDepth
    leaveOutput(outer)
    if (outerReferences === undefined) forget()
    else restore(outerReferences)
  }
}

module.exports = { encode, UNSUPPORTED }
