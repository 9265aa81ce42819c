'use strict'

// Plain data to bytes: what `structuredClone` gives for it, exactly, without its price. Anything of
// which that cannot be known here (a class instance, a platform object, a proxy, an accessor's
// array …) is refused with UNSUPPORTED, and the caller sends it through a port.

const { types } = require('node:util')
const { giveBack, scratch, take } = require('./frames')
const { shapeOf } = require('./shapes')
const { TAGS: T } = require('./tags')
const { viewType, isDetached, slabBytes } = require('./views')

/** Deeper values are left to the engine, which knows its stack. */
const MAX_DEPTH = 64
/** Strings up to this length are copied here; a native call pays off beyond. */
const SHORT = 40

/** The value is for the engine's own clone. */
const UNSUPPORTED = Object.freeze({ unsupported: true })

// As they were when the package was loaded: a patched prototype changes no payload.
const { getPrototypeOf, keys: keysOf } = Object
const isArray = Array.isArray
const arrayProto = Array.prototype
const objectProto = Object.prototype
const dateProto = Date.prototype
const mapProto = Map.prototype
const setProto = Set.prototype
const getTime = Date.prototype.getTime
const mapForEach = Map.prototype.forEach
const setForEach = Set.prototype.forEach

let out = scratch.bytes
let outView = scratch.view
/** Where the next byte goes; 0 while no value is encoded. */
let end = 0
let depth = 0
let shared = false
/** @type {object[]} */
let seen = []
/** @type {Map<object, number> | undefined} */
let seenMap

/** @param {number} n */
function room(n) {
  if (end + n > out.length) grow(n)
}

/** @param {number} n */
function grow(n) {
  const larger = Buffer.allocUnsafeSlow(Math.max(end + n, out.length * 2))
  out.copy(larger, 0, 0, end)
  out = larger
  outView = new DataView(larger.buffer)
}

/** @param {unknown} value */
function write(value) {
  switch (typeof value) {
    case 'number':
      room(9)
      if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
        if (value >= 0 && value < 256) {
          out[end++] = T.BYTE
          out[end++] = value
        } else {
          out[end] = T.INT32
          outView.setInt32(end + 1, value, true)
          end += 5
        }
      } else {
        out[end] = T.DOUBLE
        outView.setFloat64(end + 1, value, true)
        end += 9
      }
      return
    case 'string':
      writeString(value)
      return
    case 'boolean':
      room(1)
      out[end++] = value ? T.TRUE : T.FALSE
      return
    case 'undefined':
      room(1)
      out[end++] = T.UNDEFINED
      return
    case 'bigint':
      room(1)
      out[end++] = T.BIGINT
      writeString(value.toString(16))
      return
    case 'object':
      if (value === null) {
        room(1)
        out[end++] = T.NULL
        return
      }
      writeObject(value)
      return
    default:
      throw UNSUPPORTED
  }
}

/** @param {string} value */
function writeString(value) {
  const length = value.length
  if (length <= SHORT) {
    room(2 + length)
    const start = end
    out[end++] = T.LATIN1
    out[end++] = length
    let all = 0
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      all |= code
      out[end++] = code
    }
    if (all < 256) return
    end = start
  } else if (Buffer.byteLength(value) === length) {
    room(5 + length)
    out[end] = T.LONG_LATIN1
    outView.setUint32(end + 1, length, true)
    end += 5
    end += out.latin1Write(value, end, length)
    return
  }
  room(5 + 2 * length)
  out[end] = T.UTF16
  outView.setUint32(end + 1, length, true)
  end += 5
  end += out.ucs2Write(value, end, 2 * length)
}

/**
 * Writes a reference if the object was written before.
 * @param {object} object
 */
function wasSeen(object) {
  let index = -1
  if (seenMap !== undefined) {
    index = seenMap.get(object) ?? -1
    if (index < 0) seenMap.set(object, seenMap.size)
  } else {
    index = seen.length === 0 ? -1 : seen.indexOf(object)
    if (index < 0) {
      seen.push(object)
      if (seen.length > 12) seenMap = new Map(seen.map((each, i) => [each, i]))
    }
  }
  if (index < 0) return false
  shared = true
  room(5)
  out[end] = T.REF
  outView.setUint32(end + 1, index, true)
  end += 5
  return true
}

/** @param {object} object */
function writeObject(object) {
  if (wasSeen(object)) return
  if (++depth > MAX_DEPTH || types.isProxy(object)) throw UNSUPPORTED
  const proto = getPrototypeOf(object)
  if (proto === objectProto) writePlain(object)
  else if (proto === arrayProto && isArray(object)) writeArray(object)
  else if (proto === dateProto && types.isDate(object)) {
    room(9)
    out[end] = T.DATE
    outView.setFloat64(end + 1, getTime.call(object), true)
    end += 9
  } else if (proto === mapProto && types.isMap(object)) {
    const entries = /** @type {unknown[]} */ ([])
    mapForEach.call(object, (value, key) => entries.push(key, value))
    writeList(T.MAP, entries)
  } else if (proto === setProto && types.isSet(object)) {
    const values = /** @type {unknown[]} */ ([])
    setForEach.call(object, (value) => values.push(value))
    writeList(T.SET, values)
  } else if (ArrayBuffer.isView(object)) writeView(object)
  else if (types.isArrayBuffer(object)) writeBuffer(object)
  else throw UNSUPPORTED
  depth--
}

/** @param {any} object */
function writePlain(object) {
  const keys = keysOf(object)
  // Built-ins whose prototype was replaced have internal slots but no keys, or index keys.
  if (keys.length === 0 ? !isBare(object) : isIndex(keys[0])) throw UNSUPPORTED
  const shape = shapeOf(keys)
  if (shape !== undefined) {
    room(3)
    out[end] = T.SHAPE
    outView.setUint16(end + 1, shape.id, true)
    end += 3
    shape.write(write, object)
    return
  }
  room(5)
  out[end] = T.OBJECT
  outView.setUint32(end + 1, keys.length, true)
  end += 5
  for (const key of keys) {
    writeString(key)
    write(object[key])
  }
}

/** @param {string} key */
function isIndex(key) {
  const first = key.charCodeAt(0)
  return first >= 48 && first <= 57
}

/** @param {object} object */
function isBare(object) {
  return (
    objectProto.toString.call(object) === '[object Object]' &&
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

/** @param {unknown[]} array */
function writeArray(array) {
  const length = array.length
  // One key an element: no holes, and no other properties.
  if (length > 0xffffff || keysOf(array).length !== length) throw UNSUPPORTED
  room(5)
  out[end] = T.ARRAY
  outView.setUint32(end + 1, length, true)
  end += 5
  for (let i = 0; i < length; i++) {
    const value = array[i]
    // As many keys as elements, but a hole: another property made up for it.
    if (value === undefined && !Object.hasOwn(array, i)) throw UNSUPPORTED
    write(value)
  }
}

/**
 * @param {number} type
 * @param {unknown[]} list
 */
function writeList(type, list) {
  room(5)
  out[end] = type
  outView.setUint32(end + 1, list.length, true)
  end += 5
  for (const value of list) write(value)
}

/** @param {ArrayBufferView} view */
function writeView(view) {
  const type = viewType(view)
  if (type < 0) throw UNSUPPORTED
  const own = slabBytes(view)
  const whole = own ?? view
  if (!types.isArrayBuffer(view.buffer) || /** @type {any} */ (view.buffer).resizable) throw UNSUPPORTED
  room(10)
  out[end] = T.VIEW
  out[end + 1] = type
  outView.setUint32(end + 2, own === undefined ? whole.byteOffset : 0, true)
  outView.setUint32(end + 6, whole.byteLength, true)
  end += 10
  if (own === undefined) {
    const buffer = /** @type {ArrayBuffer} */ (view.buffer)
    if (!wasSeen(buffer)) writeBuffer(buffer)
  } else {
    // Its own place among the objects, which nothing else can refer to.
    wasSeen({})
    writeBytes(own)
  }
}

/** @param {ArrayBuffer} buffer */
function writeBuffer(buffer) {
  if (/** @type {any} */ (buffer).resizable || getPrototypeOf(buffer) !== ArrayBuffer.prototype) throw UNSUPPORTED
  // The engine refuses it, with its own words.
  if (isDetached(buffer)) throw UNSUPPORTED
  writeBytes(new Uint8Array(buffer))
}

/** @param {Uint8Array} bytes */
function writeBytes(bytes) {
  if (bytes.length > 0x3fffffff) throw UNSUPPORTED
  room(5 + bytes.length)
  out[end] = T.BUFFER
  outView.setUint32(end + 1, bytes.length, true)
  out.set(bytes, end + 5)
  end += 5 + bytes.length
}

/**
 * Encodes a value, in a frame of its own: a getter in it may encode another.
 * @param {unknown} value
 * @returns {number | Buffer} so many bytes of `scratch`, or bytes elsewhere
 */
function encode(value) {
  const frame = take()
  const outer = end === 0 ? undefined : { out, outView, end, depth, shared, seen, seenMap }
  if (outer !== undefined) {
    seen = []
    seenMap = undefined
  }
  out = frame.bytes
  outView = frame.view
  end = 1
  depth = 0
  shared = false
  try {
    write(value)
    out[0] = shared ? 1 : 0
    return out === scratch.bytes ? end : out.subarray(0, end)
  } finally {
    giveBack(frame)
    if (outer === undefined) {
      out = scratch.bytes
      outView = scratch.view
      end = 0
      if (seen.length > 0) seen = []
      seenMap = undefined
    } else ({ out, outView, end, depth, shared, seen, seenMap } = outer)
  }
}

module.exports = { encode, UNSUPPORTED }
