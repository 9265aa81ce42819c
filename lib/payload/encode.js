'use strict'

// Plain data to bytes: what `structuredClone` gives for it, exactly, without its price. Anything of
// which that cannot be known here (a platform object, a proxy, shared memory …) is refused with UNSUPPORTED, and the
// caller sends it through a port.

const { types } = require('node:util')
const { charCodeAt, joinTexts, latin1Write, setBytes, ucs2Write } = require('../native/primordials')
const { isBare, isFlat, isIndex, isOrdinary } = require('./classes')
const { FEW_KEYS, hasOnlyElements, isSparse } = require('./elements')
const { giveBack, larger, leave, scratch, take } = require('./frames')
const { flagsOf, sourceOf } = require('./patterns')
const { shapeOf } = require('./shapes')
const { ERROR, FLAGS, HEADER, PIECE, TAGS: T, TEXTS_AT, UNSUPPORTED } = require('./tags')
const { viewType, isDetached, slabBytes } = require('./views')
const { beginsWide } = require('./wide')

/** Deeper values are written without recursion. */
const MAX_DEPTH = 256
/** Strings up to this length are where the value is, if they have no wide characters. */
const WORD = 8
/** Characters up to this many are copied here; native calls pay off beyond. */
const SHORT = 100
/**
 * Characters of a piece of the texts. A string that is read is a part of its piece, which it may keep alive: so pieces
 * are small, and a long string is one of its own.
 */
const PIECE_LENGTH = 8192
const MANY_TEXTS = 64
/** Arrays from this length on are tried as numbers only. */
const ROW = 16
/** An array has more holes than that before it is taken for a sparse one. */
const FEW_HOLES = 64
/** An object of so many keys, which do not recur, is a dictionary. */
const MANY_KEYS = 12

// As they were when the package was loaded: a patched prototype changes no payload.
const { getPrototypeOf, hasOwn, keys: keysOf } = Object
const isArray = Array.isArray
const arrayProto = Array.prototype
const objectProto = Object.prototype
const dateProto = Date.prototype
const mapProto = Map.prototype
const setProto = Set.prototype
const regExpProto = RegExp.prototype
const getTime = Date.prototype.getTime
const mapForEach = Map.prototype.forEach
const setForEach = Set.prototype.forEach
let frame = scratch
let out = scratch.bytes
let outView = scratch.view
/** Where the next byte goes; 0 while no value is encoded. */
let end = 0
let depth = 0
let shared = false
/** Another process reads it, which does not know this one's shapes. */
let abroad = false
/**
 * The strings of the value lie together behind it: many short ones are written, and read, in a fraction of the
 * time that each by itself would take. These are those of the piece that is being gathered.
 * @type {string[]}
 */
let texts = []
let textCount = 0
let textLength = 0
/** The other pieces. @type {string[]} */
let pieces = []
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
  const to = larger(Math.max(end + n, out.length * 2))
  setBytes(to.bytes, out.subarray(0, end))
  if (to !== frame) leave(frame)
  frame = to
  out = to.bytes
  outView = to.view
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

/** @param {number} value */
function isInt(value) {
  return (value | 0) === value && (value !== 0 || 1 / value > 0)
}

/**
 * @param {number} tag
 * @param {number} length
 */
function writeHead(tag, length) {
  room(5)
  out[end] = tag
  outView.setUint32(end + 1, length, true)
  end += 5
}

/** @param {string} value */
function writeString(value) {
  const length = value.length
  if (length <= WORD) {
    room(2 + WORD)
    const start = end
    out[end++] = T.WORD
    out[end++] = length
    let all = 0
    for (let i = 0; i < length; i++) {
      const code = charCodeAt(value, i)
      all |= code
      out[end++] = code
    }
    if (all < 256) return
    end = start
  }
  if (length < 256) {
    room(2)
    out[end++] = T.TEXT
    out[end++] = length
  } else writeHead(T.LONG_TEXT, length)
  if (textLength + length > PIECE_LENGTH) closePiece()
  texts[textCount++] = value
  textLength += length
}

function closePiece() {
  if (textLength === 0) return
  texts.length = textCount
  pieces.push(textCount === 1 ? texts[0] : joinTexts(texts, ''))
  textCount = textLength = 0
}

/**
 * Writes the only piece, if it is short and has no wide characters.
 * @returns whether it did
 */
function writeShort() {
  const start = end
  writeHead(PIECE.LATIN1, textLength)
  room(textLength)
  let all = 0
  for (let i = 0; i < textCount; i++) {
    const text = texts[i]
    for (let j = 0; j < text.length; j++) {
      const code = charCodeAt(text, j)
      all |= code
      out[end++] = code
    }
  }
  if (all > 255) end = start
  return all < 256
}

/** @param {string} text */
function writePiece(text) {
  const length = text.length
  const start = end
  writeHead(PIECE.LATIN1, length)
  if (!beginsWide(text) && Buffer.byteLength(text) === length) {
    room(length)
    end += latin1Write(out, text, end, length)
    return
  }
  out[start] = PIECE.UTF16
  end = start + 5
  room(2 * length)
  end += ucs2Write(out, text, end, 2 * length)
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
  if (causing.length > 0 && causing.includes(index)) throw UNSUPPORTED
  shared = true
  writeHead(T.REF, index)
  return true
}

/** @param {object} object */
function writeObject(object) {
  if (wasSeen(object)) return
  if (++depth > MAX_DEPTH) writeDeep(object)
  else writeNew(object)
  depth--
}

/** @param {object} object that was not written before */
function writeNew(object) {
  if (types.isProxy(object)) throw UNSUPPORTED
  const proto = getPrototypeOf(object)
  if (proto === objectProto) writePlain(object)
  else if (isArray(object)) {
    if (proto !== arrayProto) throw UNSUPPORTED
    writeArray(object)
  } else if (proto === dateProto && types.isDate(object)) {
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
  else if (proto === regExpProto && types.isRegExp(object)) writeRegExp(object)
  else if (types.isNativeError(object)) writeError(object, proto)
  else if (proto === null ? isBare(object) : isOrdinary(object, proto)) writeProperties(object, keysOf(object))
  else throw UNSUPPORTED
}

/** @param {any} object */
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
  if (shape !== undefined) {
    room(3)
    out[end] = T.SHAPE
    outView.setUint16(end + 1, shape.id, true)
    end += 3
  }
  return shape
}

/**
 * @param {any} object
 * @param {string[]} keys
 */
function writeProperties(object, keys) {
  const shape = writeShape(keys)
  if (shape !== undefined) return shape.write(write, object)
  if (keys.length > MANY_KEYS && isFlat(object, keys)) return writeDictionary(object)
  writeHead(T.OBJECT, keys.length)
  for (const key of keys) {
    writeString(key)
    write(object[key])
  }
}

/** Loaded with the first dictionary. @type {typeof import('./engine').serialize | undefined} */
let serialize

/** @param {object} object */
function writeDictionary(object) {
  serialize ??= require('./engine').serialize
  const bytes = serialize(object)
  // It has been read: for the port, which reads it again, as it does whatever is refused.
  if (bytes === undefined) throw UNSUPPORTED
  writeHead(T.ENGINE, bytes.length)
  room(bytes.length)
  setBytes(out, bytes, end)
  end += bytes.length
}

/** @param {unknown[]} array */
function writeArray(array) {
  const length = array.length
  if (length > 0xffffff) throw UNSUPPORTED
  if (!hasOnlyElements(array, length) || isSparse(array, length)) return writeSparse(array, length)
  let i = 0
  let holes = 0
  let value = length > 0 ? array[0] : undefined
  if (length >= ROW && typeof value === 'number') {
    i = writeNumbers(array, length, value)
    if (i === length) return
    value = other
    other = undefined
  } else writeHead(T.ARRAY, length)
  while (i < length) {
    if (value !== undefined || hasOwn(array, i)) write(value)
    else {
      // As many keys as elements, but a hole: another property makes up for it.
      if (length <= FEW_KEYS || (++holes > FEW_HOLES && holes > i >> 1)) throw UNSUPPORTED
      room(1)
      out[end++] = T.HOLE
    }
    if (++i < length) value = array[i]
  }
}

/** The first element that was no number. @type {unknown} */
let other

/**
 * Writes an array as numbers as far as it has only these; if it has others, the numbers that come before.
 * @param {unknown[]} array
 * @param {number} length
 * @param {number} first
 * @returns how many elements are written
 */
function writeNumbers(array, length, first) {
  const head = end
  const from = (head + 12) & ~7
  end = from
  room(8 * length)
  const doubles = new Float64Array(frame.memory, from, length)
  let ints = true
  let value = /** @type {unknown} */ (first)
  let i = 0
  for (;;) {
    const n = /** @type {number} */ (value)
    doubles[i] = n
    if (ints && !isInt(n)) ints = false
    if (++i === length) break
    value = array[i]
    if (typeof value !== 'number') return writeMixed(head, length, doubles, i, value)
  }
  if (ints) {
    const all = new Int32Array(frame.memory, from, length)
    for (let j = 0; j < length; j++) all[j] = doubles[j]
  }
  out[head] = ints ? T.INTS : T.DOUBLES
  outView.setUint32(head + 1, length, true)
  end = from + (ints ? 4 : 8) * length
  return length
}

/**
 * @param {number} head
 * @param {number} length
 * @param {Float64Array} doubles
 * @param {number} count of those that are written
 * @param {unknown} next what follows
 */
function writeMixed(head, length, doubles, count, next) {
  const numbers = new Float64Array(count)
  for (let i = 0; i < count; i++) numbers[i] = doubles[i]
  end = head
  writeHead(T.ARRAY, length)
  for (let i = 0; i < count; i++) write(numbers[i])
  other = next
  return count
}

/**
 * @param {any} array
 * @param {number} length
 */
function writeSparse(array, length) {
  const keys = keysOf(array)
  writeHead(T.SPARSE, length)
  room(4)
  outView.setUint32(end, keys.length, true)
  end += 4
  for (const key of keys) {
    writeString(key)
    write(array[key])
  }
}

/**
 * @param {number} type
 * @param {unknown[]} list
 */
function writeList(type, list) {
  writeHead(type, list.length)
  for (let i = 0; i < list.length; i++) write(list[i])
}

/** @param {object} object */
function writeRegExp(object) {
  room(1)
  out[end++] = T.REGEXP
  writeString(sourceOf(object))
  writeString(flagsOf(object))
}

/**
 * An object whose parts are being written, in that of which it is one.
 * @typedef {{ object: any, keys: string[] | undefined, isNamed: boolean, count: number, at: number, outer: Open | undefined }} Open
 */

/**
 * Writes an object without recursion, which would take more stack the deeper it is.
 * @param {object} root
 */
function writeDeep(root) {
  room(1)
  out[end++] = T.DEEP
  let top = open(root, undefined)
  while (top !== undefined) {
    if (top.at === top.count) {
      top = top.outer
      continue
    }
    const { object, keys } = top
    const i = top.at++
    if (top.isNamed) writeString(/** @type {string[]} */ (keys)[i])
    const value = object[keys === undefined ? i : keys[i]]
    if (value === undefined && keys === undefined && !hasOwn(object, i)) throw UNSUPPORTED
    if (typeof value !== 'object' || value === null) write(value)
    else if (!wasSeen(value)) top = open(value, top) ?? top
  }
}

/**
 * Writes what comes before the parts of an object, or all of one that has no others in it.
 * @param {any} object
 * @param {Open | undefined} outer
 * @returns {Open | undefined} undefined if it is written
 */
function open(object, outer) {
  if (types.isProxy(object)) throw UNSUPPORTED
  const proto = getPrototypeOf(object)
  if (isArray(object)) {
    const { length } = object
    if (proto !== arrayProto || length > 0xffffff || !hasOnlyElements(object, length)) throw UNSUPPORTED
    writeHead(T.ARRAY, length)
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
  if (isNamed) writeHead(T.OBJECT, keys.length)
  return { object, keys, isNamed, count: keys.length, at: 0, outer }
}

/** Loaded with the first error. @type {typeof import('./exceptions') | undefined} */
let exceptions
/** Of the errors whose causes are being written: the engine cannot read one that leads back to it. @type {number[]} */
let causing = []

/**
 * In the order in which the engine reads it.
 * @param {object} error
 * @param {object | null} proto
 */
function writeError(error, proto) {
  exceptions ??= require('./exceptions')
  if (!exceptions.isException(error, proto)) throw UNSUPPORTED
  const message = exceptions.dataOf(error, 'message')
  const cause = exceptions.dataOf(error, 'cause')
  const kind = exceptions.classOf(error.name)
  if (kind < 0) throw UNSUPPORTED
  room(3)
  out[end] = T.ERROR
  out[end + 1] = kind
  out[end + 2] = (message === undefined ? 0 : ERROR.MESSAGE) | (cause === undefined ? 0 : ERROR.CAUSE)
  end += 3
  if (message !== undefined) writeText(message.value)
  if (cause !== undefined) {
    causing.push(seenMap === undefined ? seen.indexOf(error) : (seenMap.get(error) ?? -1))
    write(cause.value)
    causing.pop()
  }
  writeText(error.stack)
}

/** @param {unknown} text */
function writeText(text) {
  if (typeof text !== 'string') throw UNSUPPORTED
  writeString(text)
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
  writeHead(T.BUFFER, bytes.length)
  room(bytes.length)
  setBytes(out, bytes, end)
  end += bytes.length
}

/** Writes the texts behind the values, and before them what is there. */
function finish() {
  const at = end
  if (pieces.length > 0 || textLength > SHORT || (textLength > 0 && !writeShort())) {
    closePiece()
    for (let i = 0; i < pieces.length; i++) writePiece(pieces[i])
  }
  out[0] = shared ? FLAGS.REFS : 0
  if (end === at) return
  out[0] |= FLAGS.TEXTS
  outView.setUint32(TEXTS_AT, at, true)
}

/** What is encoded around the value that is to be encoded now. */
function outerState() {
  return { frame, out, outView, end, depth, shared, texts, textCount, textLength, pieces, seen, seenMap, causing }
}

/**
 * Encodes a value, in a frame of its own: a getter in it may encode another.
 * @param {unknown} value
 * @param {boolean} [leaves] another process is to read it
 * @returns {number | Buffer} so many bytes of `scratch`, or bytes elsewhere; until the next value is encoded
 */
function encode(value, leaves = false) {
  const taken = take()
  const before = abroad
  abroad = leaves
  const outer = end === 0 ? undefined : outerState()
  if (outer !== undefined) {
    texts = []
    pieces = []
    seen = []
    seenMap = undefined
    causing = []
  }
  frame = taken
  out = frame.bytes
  outView = frame.view
  end = HEADER
  depth = 0
  shared = false
  textCount = textLength = 0
  try {
    write(value)
    finish()
    return frame === scratch ? end : out.subarray(0, end)
  } finally {
    abroad = before
    giveBack(taken)
    if (frame !== taken) leave(frame)
    if (outer === undefined) {
      frame = scratch
      out = scratch.bytes
      outView = scratch.view
      end = 0
      if (seen.length > 0) seen = []
      seenMap = undefined
      // Kept as long as they are few: they are those of the last value.
      if (texts.length > MANY_TEXTS) texts = []
      if (pieces.length > 0) pieces = []
      if (causing.length > 0) causing = []
    } else
      ({ frame, out, outView, end, depth, shared, texts, textCount, textLength, pieces, seen, seenMap, causing } =
        outer)
  }
}

module.exports = { encode, UNSUPPORTED }
