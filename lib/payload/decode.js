'use strict'

// What encode.js has written, as values again.

const { shapeById, put } = require('./shapes')
const { TAGS: T } = require('./tags')
const { VIEWS } = require('./views')

/** @type {Buffer} */
let input
/** @type {DataView} */
let inputView
let at = 0
/** The objects so far, by number, where the value has references. @type {any[] | undefined} */
let objects

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
      at += 4
      return inputView.getInt32(at - 4, true)
    case T.DOUBLE:
      at += 8
      return inputView.getFloat64(at - 8, true)
    case T.LATIN1:
    case T.LONG_LATIN1:
    case T.UTF16:
      at--
      return readString()
    case T.BIGINT: {
      const text = readString()
      return text[0] === '-' ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`)
    }
    case T.SHAPE: {
      const shape = shapeById(inputView.getUint16(at, true))
      at += 2
      if (objects === undefined) return shape.read(read)
      const object = register(/** @type {any} */ ({}))
      for (const key of shape.keys) put(object, key, read())
      return object
    }
    case T.OBJECT:
      return readObject()
    case T.ARRAY: {
      const length = readLength()
      const array = register(/** @type {any[]} */ ([]))
      for (let i = 0; i < length; i++) array.push(read())
      return array
    }
    case T.REF:
      return /** @type {any[]} */ (objects)[readLength()]
    case T.DATE:
      at += 8
      return register(new Date(inputView.getFloat64(at - 8, true)))
    case T.MAP: {
      const length = readLength()
      const map = register(new Map())
      for (let i = 0; i < length; i += 2) {
        const key = read()
        map.set(key, read())
      }
      return map
    }
    case T.SET: {
      const length = readLength()
      const set = register(new Set())
      for (let i = 0; i < length; i++) set.add(read())
      return set
    }
    case T.BUFFER: {
      const length = readLength()
      at += length
      return register(input.buffer.slice(input.byteOffset + at - length, input.byteOffset + at))
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
  if (objects !== undefined) objects.push(object)
  return object
}

function readLength() {
  at += 4
  return inputView.getUint32(at - 4, true)
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
        return String.fromCharCode(input[start])
      case 2:
        return String.fromCharCode(input[start], input[start + 1])
      case 3:
        return String.fromCharCode(input[start], input[start + 1], input[start + 2])
      case 4:
        return String.fromCharCode(input[start], input[start + 1], input[start + 2], input[start + 3])
      default:
        return input.latin1Slice(start, at)
    }
  }
  const length = readLength()
  const start = at
  at += type === T.UTF16 ? 2 * length : length
  return type === T.UTF16 ? input.ucs2Slice(start, at) : input.latin1Slice(start, at)
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
  const place = objects === undefined ? -1 : objects.push(undefined) - 1
  const buffer = read()
  const View = VIEWS[type]
  // A DataView counts in bytes.
  const view = new View(buffer, offset, length / (View.BYTES_PER_ELEMENT ?? 1))
  if (objects !== undefined) objects[place] = view
  return view
}

/**
 * @param {Buffer} from
 * @param {DataView} view of the whole of `from`
 * @param {number} start
 */
function decode(from, view, start) {
  input = from
  inputView = view
  objects = from[start] === 1 ? [] : undefined
  at = start + 1
  return read()
}

module.exports = { decode }
