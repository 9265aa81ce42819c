'use strict'

// Decodes the bytes that encode.js has written. No code of the user runs meanwhile, unless it has put accessors in the
// place of the elements of arrays.

const {
  BigIntOf,
  Bytes,
  DateClass,
  MapClass,
  RegExpClass,
  SetClass,
  createObject,
  defineProperty,
  errorClasses,
  fromCharCode,
  getDouble,
  getOwnPropertyDescriptor,
  hasOwn,
  latin1Slice,
  mapSet,
  objectProto,
  setAdd,
  setPrototypeOf,
  sliceBuffer,
  sliceText,
  ucs2Slice
} = require('../native/primordials')
const { shapeById, put } = require('./shapes')
const { ERROR, FLAGS, HEADER, PIECE, TAGS: T, TEXT, TEXTS_AT } = require('./tags')
const { VIEWS } = require('./views')

/** @typedef {import('../native/memory').Frame} Frame */

/**
 * Arrays up to this length grow element by element. They are faster to read afterwards than arrays made with their
 * length.
 */
const SMALL = 64

/** @type {Buffer} */
let input
/** @type {ArrayBuffer} */
let memory
/** @type {DataView} */
let doubles
/** Where the payload begins. */
let base = 0
let at = 0
/** The objects so far, by number, if the value has references. @type {unknown[] | undefined} */
let objects
/** The piece of the texts that is being read, how far it has been read, and where the next piece is. */
let text = ''
let textAt = 0
let nextPiece = 0

/** Loaded for the first dictionary. @type {typeof import('./engine').deserialize | undefined} */
let deserialize

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
    case T.WORD: {
      const length = input[at++]
      at += length
      return latin1Text(at - length, length)
    }
    case T.TEXT:
      return textOf(input[at++])
    case T.LONG_TEXT:
      return textOf(readLength())
    case T.BIGINT: {
      const digits = read()
      return digits[0] === '-' ? -BigIntOf(`0x${sliceText(digits, 1)}`) : BigIntOf(`0x${digits}`)
    }
    case T.SHAPE: {
      const shape = shapeById(input[at] | (input[at + 1] << 8))
      at += 2
      if (objects === undefined) return shape.read(read)
      const object = register({})
      const { keys } = shape
      for (let i = 0; i < keys.length; i++) put(object, keys[i], read())
      return object
    }
    case T.OBJECT:
      return readObject()
    case T.ARRAY: {
      const length = readLength()
      return readElements(register(newArray(length)), 0, length)
    }
    case T.TEXTS: {
      const length = readLength()
      const array = register(newArray(length))
      return readElements(array, readTexts(array, length), length)
    }
    case T.INTS:
      return readNumbers(Int32Array)
    case T.DOUBLES:
      return readNumbers(Float64Array)
    case T.SPARSE: {
      const array = register(/** @type {unknown[]} */ ([]))
      const length = readLength()
      readProperties(array, readLength())
      // The length is set last: an array that gets its length first makes room for all elements.
      if (array.length < length) array.length = length
      return array
    }
    case T.REF:
      return /** @type {unknown[]} */ (objects)[readLength()]
    case T.DATE:
      return register(new DateClass(readDouble()))
    case T.REGEXP: {
      const source = read()
      return register(new RegExpClass(source, read()))
    }
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
    case T.ERROR:
      return readError()
    case T.DEEP:
      return readDeep()
    case T.ENGINE: {
      const length = readLength()
      at += length
      deserialize ??= require('./engine').deserialize
      return register(deserialize(new Bytes(memory, at - length, length)))
    }
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
  at += 8
  return getDouble(doubles, at - 8, true)
}

/**
 * @param {number} length
 * @returns {any[]}
 */
function newArray(length) {
  // Each element has at least one byte.
  if (length > input.length) throw new Error('corrupt payload')
  return length <= SMALL ? [] : new Array(length)
}

/**
 * @param {unknown[]} array
 * @param {number} from
 * @param {number} length
 */
function readElements(array, from, length) {
  for (let i = from; i < length; i++) {
    if (input[at] === T.HOLE) at++
    else array[i] = read()
  }
  return array
}

/**
 * Reads the texts with which an array begins.
 * @param {unknown[]} array
 * @param {number} length
 * @returns how many texts there are
 */
function readTexts(array, length) {
  for (let i = 0; i < length; i++) {
    const size = input[at++]
    if (size === TEXT.ENDS) return i
    array[i] = textOf(size === TEXT.IS_LONG ? readLength() : size)
  }
  return length
}

/**
 * @param {Int32ArrayConstructor | Float64ArrayConstructor} View
 * @returns {number[]}
 */
function readNumbers(View) {
  const length = readLength()
  at = base + ((at - base + 7) & ~7)
  const numbers = new View(memory, at, length)
  at += View.BYTES_PER_ELEMENT * length
  const array = register(newArray(length))
  for (let i = 0; i < length; i++) array[i] = numbers[i]
  return array
}

/**
 * The next `length` characters of the texts.
 * @param {number} length
 */
function textOf(length) {
  if (length === 0) return ''
  if (textAt === text.length) readPiece()
  const from = textAt
  textAt += length
  return sliceText(text, from, textAt)
}

function readPiece() {
  const piece = nextPiece
  const wide = input[piece] === PIECE.UTF16
  const length =
    (input[piece + 1] | (input[piece + 2] << 8) | (input[piece + 3] << 16) | (input[piece + 4] << 24)) >>> 0
  const from = piece + 5
  nextPiece = from + (wide ? 2 * length : length)
  text = wide ? ucs2Slice(input, from, nextPiece) : latin1Text(from, length)
  textAt = 0
}

/**
 * @param {number} i
 * @param {number} length
 */
function latin1Text(i, length) {
  const b = input
  switch (length) {
    case 0:
      return ''
    case 1:
      return fromCharCode(b[i])
    case 2:
      return fromCharCode(b[i], b[i + 1])
    case 3:
      return fromCharCode(b[i], b[i + 1], b[i + 2])
    case 4:
      return fromCharCode(b[i], b[i + 1], b[i + 2], b[i + 3])
    case 5:
      return fromCharCode(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4])
    case 6:
      return fromCharCode(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5])
    case 7:
      return fromCharCode(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6])
    case 8:
      return fromCharCode(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7])
    default:
      return latin1Slice(b, i, i + length)
  }
}

/** @returns {string} */
function readKey() {
  const key = read()
  // Another value would be converted to a text, which could be of any length.
  if (typeof key !== 'string' && typeof key !== 'number') throw new Error('corrupt payload')
  return /** @type {string} */ (key)
}

/** @returns {unknown} */
function readObject() {
  const count = readLength()
  if (count <= SMALL || objects !== undefined) return readProperties(register({}), count)
  // The object is a dictionary from the start, so the engine does not pass through the forms of smaller objects.
  const object = createObject(null)
  for (let i = 0; i < count; i++) {
    const key = readKey()
    object[key] = read()
  }
  return setPrototypeOf(object, objectProto)
}

/**
 * @template {object} T
 * @param {T} object
 * @param {number} count
 */
function readProperties(object, count) {
  for (let i = 0; i < count; i++) {
    const key = readKey()
    put(object, key, read())
  }
  return object
}

/** @returns {unknown} */
function readView() {
  const type = input[at++]
  const offset = readLength()
  const length = readLength()
  const place = objects === undefined ? -1 : objects.length
  register(undefined)
  const buffer = read()
  const View = VIEWS[type]
  // The length of a DataView is in bytes.
  const view = new View(buffer, offset, length / (View.BYTES_PER_ELEMENT ?? 1))
  if (objects !== undefined) objects[place] = view
  return view
}

/**
 * An object whose parts are being read. `outer` is the object that it is a part of.
 * @typedef {{ object: any, keys: readonly string[] | undefined, isArray: boolean, count: number, at: number, outer: Open | undefined }} Open
 */

/** @returns {unknown} */
function readDeep() {
  let top = open(undefined)
  if (top === undefined) return read()
  const root = top.object
  while (top !== undefined) {
    if (top.at === top.count) {
      top = top.outer
      continue
    }
    const i = top.at++
    /** @type {string | undefined} */
    const key = top.isArray ? undefined : top.keys === undefined ? readKey() : top.keys[i]
    const inner = open(top)
    const value = inner === undefined ? read() : inner.object
    if (key === undefined) top.object[i] = value
    else put(top.object, key, value)
    if (inner !== undefined) top = inner
  }
  return root
}

/**
 * @param {Open | undefined} outer
 * @returns {Open | undefined} undefined if the next value is no object with parts
 */
function open(outer) {
  switch (input[at]) {
    case T.SHAPE: {
      const { keys } = shapeById(input[at + 1] | (input[at + 2] << 8))
      at += 3
      return { object: register({}), keys, isArray: false, count: keys.length, at: 0, outer }
    }
    case T.OBJECT: {
      at++
      const count = readLength()
      return { object: register({}), keys: undefined, isArray: false, count, at: 0, outer }
    }
    case T.ARRAY: {
      at++
      const count = readLength()
      return { object: register(newArray(count)), keys: undefined, isArray: true, count, at: 0, outer }
    }
    default:
      return undefined
  }
}

/** @returns {Error} */
function readError() {
  const Class = errorClasses[input[at]]
  const has = input[at + 1]
  at += 2
  if (Class === undefined) throw new Error('corrupt payload')
  const error = register(errorOf(Class, (has & ERROR.MESSAGE) === 0 ? undefined : readText()))
  if ((has & ERROR.CAUSE) !== 0) hide(error, 'cause', read())
  const stack = readText()
  // An assignment to the engine's property does not make the old stack, as a definition would.
  if (hasOwn(error, 'stack')) error.stack = stack
  else hide(error, 'stack', stack)
  return error
}

/**
 * An error without the frames of this code, which do not belong to it, and take longer than the rest of the error.
 * @param {ErrorConstructor} Class
 * @param {string | undefined} message
 */
function errorOf(Class, message) {
  const limit = getOwnPropertyDescriptor(errorClasses[0], 'stackTraceLimit')
  if (limit === undefined || !hasOwn(limit, 'value') || limit.writable !== true) return new Class(message)
  errorClasses[0].stackTraceLimit = 0
  try {
    return new Class(message)
  } finally {
    errorClasses[0].stackTraceLimit = limit.value
  }
}

/** @returns {string} */
function readText() {
  const text = read()
  if (typeof text !== 'string') throw new Error('corrupt payload')
  return text
}

/**
 * @param {Error} error
 * @param {'cause' | 'stack'} key
 * @param {unknown} value
 */
function hide(error, key, value) {
  defineProperty(error, key, { value, writable: true, enumerable: false, configurable: true })
}

/** Whether a value is being decoded. */
let isDecoding = false

/** The state of the value that is being decoded around the next one. */
function state() {
  return { input, memory, doubles, base, at, objects, text, textAt, nextPiece }
}

/**
 * Decodes a value. A program may have replaced something that runs here, such as an accessor for an index of arrays, and
 * decode another value in it.
 * @param {Frame} from
 * @param {number} start
 */
function decode(from, start) {
  const outer = isDecoding ? state() : undefined
  isDecoding = true
  try {
    return decodeAt(from, start)
  } finally {
    if (outer === undefined) isDecoding = false
    else ({ input, memory, doubles, base, at, objects, text, textAt, nextPiece } = outer)
  }
}

/**
 * @param {Frame} from
 * @param {number} start
 */
function decodeAt(from, start) {
  input = from.bytes
  memory = from.memory
  doubles = from.view
  base = start
  objects = (input[start] & FLAGS.REFS) !== 0 ? [] : undefined
  text = ''
  textAt = 0
  at = start + TEXTS_AT
  if ((input[start] & FLAGS.TEXTS) !== 0) nextPiece = start + readLength()
  at = start + HEADER
  return read()
}

module.exports = { decode }
