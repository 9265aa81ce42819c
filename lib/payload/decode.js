'use strict'

// What encode.js has written, as values again. Nothing of a user's runs meanwhile, whatever was replaced.

const {
  BigIntOf,
  DateClass,
  MapClass,
  SetClass,
  fromCharCode,
  latin1Slice,
  mapSet,
  setAdd,
  sliceBuffer,
  sliceText,
  ucs2Slice
} = require('../native/primordials')
const { shapeById, put } = require('./shapes')
const { TAGS: T } = require('./tags')
const { VIEWS } = require('./views')

/** @typedef {import('../native/memory').Frame} Frame */

/** @type {Buffer} */
let input
/** @type {ArrayBuffer} */
let memory
let at = 0
/** The objects so far, by number, where the value has references. @type {any[] | undefined} */
let objects

const double = new Float64Array(1)
const doubleBytes = new Uint8Array(double.buffer)

/** @returns {any} */
function read() {
  switch (input[at++]) {
    case T.UNDEFINED:
      return undefined
    case T.NULL:
      return null
    case T.FALSE:
      return false
    case T.TRUE:
      return true
    case T.BYTE:
      return input[at++]
    case T.INT32:
      return readInt()
    case T.DOUBLE:
      return readDouble()
    case T.LATIN1:
    case T.LONG_LATIN1:
    case T.UTF16:
      at--
      return readString()
    case T.BIGINT: {
      const text = readString()
      return text[0] === '-' ? -BigIntOf(`0x${sliceText(text, 1)}`) : BigIntOf(`0x${text}`)
    }
    case T.SHAPE: {
      const shape = shapeById(input[at] | (input[at + 1] << 8))
      at += 2
      if (objects === undefined) return shape.read(read)
      const object = register(/** @type {any} */ ({}))
      const { keys } = shape
      for (let i = 0; i < keys.length; i++) put(object, keys[i], read())
      return object
    }
    case T.OBJECT:
      return readObject()
    case T.ARRAY: {
      const length = readLength()
      const array = register(/** @type {any[]} */ ([]))
      for (let i = 0; i < length; i++) array[i] = read()
      return array
    }
    case T.REF:
      return /** @type {any[]} */ (objects)[readLength()]
    case T.DATE:
      return register(new DateClass(readDouble()))
    case T.MAP: {
      const length = readLength()
      const map = register(new MapClass())
      for (let i = 0; i < length; i += 2) {
        const key = read()
        mapSet(map, key, read())
      }
      return map
    }
    case T.SET: {
      const length = readLength()
      const set = register(new SetClass())
      for (let i = 0; i < length; i++) setAdd(set, read())
      return set
    }
    case T.BUFFER: {
      const length = readLength()
      at += length
      return register(sliceBuffer(memory, at - length, at))
    }
    case T.VIEW:
      return readView()
    default:
      throw new Error('corrupt payload')
  }
}

/**
 * @template T
 * @param {T} object
 */
function register(object) {
  if (objects !== undefined) objects[objects.length] = object
  return object
}

function readInt() {
  at += 4
  return input[at - 4] | (input[at - 3] << 8) | (input[at - 2] << 16) | (input[at - 1] << 24)
}

function readLength() {
  return readInt() >>> 0
}

function readDouble() {
  for (let i = 0; i < 8; i++) doubleBytes[i] = input[at++]
  return double[0]
}

function readString() {
  const type = input[at++]
  if (type === T.LATIN1) {
    const length = input[at++]
    const start = at
    at += length
    switch (length) {
      case 0:
        return ''
      case 1:
        return fromCharCode(input[start])
      case 2:
        return fromCharCode(input[start], input[start + 1])
      case 3:
        return fromCharCode(input[start], input[start + 1], input[start + 2])
      case 4:
        return fromCharCode(input[start], input[start + 1], input[start + 2], input[start + 3])
      default:
        return latin1Slice(input, start, at)
    }
  }
  const length = readLength()
  const start = at
  at += type === T.UTF16 ? 2 * length : length
  return type === T.UTF16 ? ucs2Slice(input, start, at) : latin1Slice(input, start, at)
}

function readObject() {
  const count = readLength()
  const object = register(/** @type {any} */ ({}))
  for (let i = 0; i < count; i++) {
    const key = readString()
    put(object, key, read())
  }
  return object
}

/** @returns {any} */
function readView() {
  const type = input[at++]
  const offset = readLength()
  const length = readLength()
  const place = objects === undefined ? -1 : objects.length
  register(undefined)
  const buffer = read()
  const View = VIEWS[type]
  // A DataView counts in bytes.
  const view = new View(buffer, offset, length / (View.BYTES_PER_ELEMENT ?? 1))
  if (objects !== undefined) objects[place] = view
  return view
}

/**
 * @param {Frame} from
 * @param {number} start
 */
function decode(from, start) {
  input = from.bytes
  memory = from.memory
  objects = input[start] === 1 ? [] : undefined
  at = start + 1
  return read()
}

module.exports = { decode }
