'use strict'

// Encodes values for native calls, and decodes the values that come from them. The route is chosen per value: numbers
// and the like as they are, strings and whole views as their bytes, plain data in an encoding of its own, and other
// values through a port. The numbers of a call are written last, when no more code of the user runs: the native call
// follows the encoding directly.

const { types } = require('node:util')
const { invalidArgument } = require('../errors')
const { bound } = require('../native/environment')
const { Frame, cells, numbers, scratch } = require('../native/memory')
const {
  bufferFrom,
  byteLengthOf,
  charCodeAt,
  isArray,
  latin1Slice,
  latin1Write,
  parseJson,
  setBytes,
  sliceBuffer,
  ucs2Slice,
  ucs2Write,
  utf8Slice,
  utf8Write
} = require('../native/primordials')
const { CELL, FORM, NUMBER, SIZE, TAG, VIEW } = require('../native/wire')
const { decode: decodePlain } = require('./decode')
const { encode: encodePlain, UNSUPPORTED } = require('./encode')
const { lentOf } = require('./lend')
const { isFree } = require('./frames')
const { numberOf } = require('../shared-map/number')
const { bigInt, decodeRecord, encodeRecord } = require('./records')
const { isKnownToShare, noteShared } = require('./shared')
const { VIEWS, viewType, isWholeView, isDetached, slabBytes } = require('./views')
const { beginsWide } = require('./wide')

const { bytes } = scratch

/** Whether so many bytes may be copied into `scratch`, which no value that is being encoded has taken. */
function fits(/** @type {number} */ size) {
  return size <= SIZE.COPIED && isFree()
}
/** Strings up to this length are copied by JavaScript, character by character. */
const SHORT = 24

/** The value needs a port. */
const PORT = Symbol('port')

/**
 * @param {number} tag
 * @param {number} number
 * @returns {undefined}
 */
function plain(tag, number) {
  cells[CELL.TAG] = tag
  cells[CELL.FORM] = FORM.NUMBER
  numbers[NUMBER.PAYLOAD] = number
}

/**
 * @param {number} tag
 * @param {number} length
 * @returns {undefined}
 */
function inScratch(tag, length) {
  cells[CELL.TAG] = tag
  cells[CELL.FORM] = FORM.BYTES
  cells[CELL.LENGTH] = length
}

/**
 * @param {number} tag
 * @param {ArrayBufferView} view
 */
function elsewhere(tag, view) {
  const bytes = view instanceof DataView ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : view
  cells[CELL.TAG] = tag
  cells[CELL.FORM] = FORM.ELSEWHERE
  return bytes
}

/**
 * Describes a value for a native call. The result is the argument of that call: undefined, or a view or a text that the
 * call copies. PORT means that nothing was described.
 * @param {unknown} value
 * @returns {ArrayBufferView | string | undefined | typeof PORT}
 */
function encode(value) {
  switch (typeof value) {
    case 'number':
      return plain(TAG.NUMBER, value)
    case 'string':
      return encodeString(value)
    case 'undefined':
      return plain(TAG.UNDEFINED, 0)
    case 'boolean':
      return plain(value ? TAG.TRUE : TAG.FALSE, 0)
    case 'bigint':
      return encodeBigInt(value)
    case 'object':
      if (value === null) return plain(TAG.NULL, 0)
      if (ArrayBuffer.isView(value)) {
        const type = viewType(value)
        // An empty view may be detached, which the engine refuses.
        if (type >= 0 && value.byteLength > 0 && (slabBytes(value) !== undefined || isWholeView(value)))
          return encodeView(type, value)
      } else if (types.isArrayBuffer(value) && value.byteLength > 0) {
        const whole = new Uint8Array(value)
        if (isWholeView(whole)) return encodeView(VIEW.ARRAY_BUFFER, whole)
      }
      return encodeData(value)
    default:
      return PORT
  }
}

/**
 * Writes a text to `scratch`, or has the native call take it as it is.
 * @param {string} value
 * @param {number} tag
 * @param {number} size bytes
 */
function writeText(value, tag, size) {
  if (size > SIZE.SCRATCH || !isFree()) {
    cells[CELL.TAG] = tag
    cells[CELL.FORM] = FORM.ELSEWHERE
    return value
  }
  const write = tag === TAG.LATIN1 ? latin1Write : ucs2Write
  write(bytes, value, 0, size)
  return inScratch(tag, size)
}

/** @param {string} value */
function encodeString(value) {
  const length = value.length
  if (length <= SHORT && isFree()) {
    let all = 0
    for (let i = 0; i < length; i++) {
      const code = charCodeAt(value, i)
      all |= code
      bytes[i] = code
    }
    if (all < 256) return inScratch(TAG.LATIN1, length)
  }
  const ascii = !beginsWide(value) && Buffer.byteLength(value) === length
  return ascii ? writeText(value, TAG.LATIN1, length) : writeText(value, TAG.UTF16, 2 * length)
}

/** @param {bigint} value */
function encodeBigInt(value) {
  const digits = value.toString(16)
  if (!fits(digits.length)) return elsewhere(TAG.BIGINT, Buffer.from(digits, 'latin1'))
  return inScratch(TAG.BIGINT, latin1Write(bytes, digits, 0, SIZE.COPIED))
}

/**
 * @param {number} type
 * @param {ArrayBufferView} view
 */
function encodeView(type, view) {
  const tag = TAG.VIEW | (type << 8)
  const size = view.byteLength
  if (size > SIZE.COPIED) return elsewhere(tag, view)
  const from = new Uint8Array(view.buffer, view.byteOffset, size)
  if (!isFree()) return elsewhere(tag, from)
  setBytes(bytes, from)
  return inScratch(tag, size)
}

/** @param {object} value */
function encodeData(value) {
  if (isKnownToShare(value)) return PORT
  let encoded
  try {
    encoded = encodePlain(value)
  } catch (error) {
    if (error !== UNSUPPORTED) throw error
    noteShared(value)
    return PORT
  }
  return typeof encoded === 'number' ? inScratch(TAG.CODEC, encoded) : elsewhere(TAG.CODEC, encoded)
}

/**
 * As `encode`, for the native lane: strings as UTF-8, other objects as JSON. Bytes without another owner, lent bytes,
 * and bytes on shared memory are read in place, and a shared map is used where it is.
 * @param {unknown} value
 * @param {boolean} [own] whether its bytes have no other owner
 * @returns {ArrayBufferView | Parts | undefined}
 */
function encodeForNative(value, own = false) {
  switch (typeof value) {
    case 'string':
      return fits(value.length * 3)
        ? inScratch(TAG.UTF8, utf8Write(bytes, value, 0, SIZE.COPIED))
        : elsewhere(TAG.UTF8, Buffer.from(value))
    case 'object': {
      if (value === null) return plain(TAG.NULL, 0)
      const bytes = bytesOf(value)
      if (bytes !== undefined) return encodeBytes(bytes.type, bytes.view, own)
      const lent = lentOf(value)
      if (lent !== undefined) return encodeForNative(lent, true)
      const map = numberOf(value)
      if (map !== undefined) return asMap(map)
      const record = encodeRecord(value, { partOf: (member) => partOf(member, own), toJson: memberToJson })
      if (record !== undefined) return inParts(record)
      return elsewhere(TAG.JSON, Buffer.from(toJson(value, 'The input')))
    }
    case 'function':
    case 'symbol':
      throw new DOMException(`${String(value)} could not be cloned.`, 'DataCloneError')
    default:
      return /** @type {undefined} */ (encode(value))
  }
}

/**
 * The bytes of a value that a native task takes as bytes; undefined for other values.
 * @param {object} value
 */
function bytesOf(value) {
  if (types.isAnyArrayBuffer(value)) return { type: VIEW.BUFFER, view: new Uint8Array(refuseDetached(value)) }
  if (!ArrayBuffer.isView(value)) return undefined
  refuseDetached(value.buffer)
  const type = byteType(value)
  return type < 0 ? undefined : { type, view: value }
}

/**
 * @param {number} type
 * @param {ArrayBufferView} view
 * @param {boolean} own whether no other code writes there
 */
function encodeBytes(type, view, own) {
  if (view.byteLength < SIZE.IN_PLACE) return encodeView(type, isShared(view) ? copyOf(view) : view)
  const bytes = elsewhere(TAG.VIEW | (type << 8), view)
  cells[CELL.FORM] = formOf(view, own)
  return bytes
}

/**
 * The form of a large view: copied, or read in place.
 * @param {ArrayBufferView} view
 * @param {boolean} own
 */
function formOf(view, own) {
  if (isShared(view)) return FORM.SHARED
  return own ? FORM.LENT : FORM.ELSEWHERE
}

/** @param {ArrayBufferView} view */
function isShared(view) {
  return types.isSharedArrayBuffer(view.buffer)
}

/**
 * @param {number} number of a shared map
 * @returns {undefined}
 */
function asMap(number) {
  cells[CELL.TAG] = TAG.MAP
  cells[CELL.FORM] = FORM.MAP
  numbers[NUMBER.PAYLOAD] = number
}

/** @typedef {import('./records').Parts} Parts */

/** @param {Parts} record */
function inParts(record) {
  cells[CELL.TAG] = TAG.RECORD
  cells[CELL.FORM] = FORM.PARTS
  return record
}

/**
 * @param {object} member of a record
 * @param {boolean} own
 * @returns {import('./records').Part | undefined}
 */
function partOf(member, own) {
  const lent = lentOf(member)
  if (lent !== undefined) return partOf(lent, true)
  const found = bytesOf(member)
  if (found === undefined) {
    const map = numberOf(member)
    return map === undefined ? undefined : { tag: TAG.MAP, form: FORM.MAP, bytes: map }
  }
  const { type, view } = found
  const bytes = view instanceof DataView ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : view
  const tag = TAG.VIEW | (type << 8)
  if (view.byteLength >= SIZE.IN_PLACE) return { tag, form: formOf(view, own), bytes }
  return { tag, form: FORM.ELSEWHERE, bytes: isShared(view) ? copyOf(bytes) : bytes }
}

/** @param {unknown} member */
function memberToJson(member) {
  return toJson(member, 'The input')
}

/**
 * A BigInt becomes its digits, which a param of 64 bits also takes.
 * @param {unknown} value
 * @param {string} label
 */
function toJson(value, label) {
  try {
    return JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each)) ?? 'null'
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw invalidArgument(`${label} of a native task must be plain data: ${why}`, { cause })
  }
}

/** @param {ArrayBufferView} view */
function byteType(view) {
  if (view instanceof DataView || Buffer.isBuffer(view)) return VIEW.BUFFER
  const type = VIEWS.findIndex((View) => View.name === /** @type {Uint8Array} */ (view)[Symbol.toStringTag])
  return type > VIEW.BIG_UINT64 ? -1 : type
}

/**
 * @template {ArrayBufferLike} T
 * @param {T} buffer
 */
function refuseDetached(buffer) {
  if (isDetached(buffer))
    throw new DOMException('An ArrayBuffer is detached and could not be cloned.', 'DataCloneError')
  return buffer
}

/**
 * A copy of the bytes in memory that no other thread writes to.
 * @param {ArrayBufferView} view
 */
function copyOf(view) {
  return new Uint8Array(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
}

/**
 * A number as the engine would have made it: a small integer instead of a boxed double, if possible. The first calls of
 * a function decide what it is optimised for, so boxed inputs would slow it for ever.
 * @param {number} n
 */
function toNumber(n) {
  const int = n | 0
  return int === n && (int !== 0 || 1 / n > 0) ? int : n
}

/**
 * Decodes the value of a payload. No code of the user runs here.
 * @param {Frame} from
 * @param {Float64Array} numbers
 * @param {number} tag
 * @param {number} length bytes of the frame from `offset`; -1: a number there; -2 - i: blob i
 * @param {number} offset
 * @returns {unknown}
 */
function decode(from, numbers, tag, length, offset) {
  if (length === -1) return decodeNumber(tag, numbers[offset >> 3])
  if (length < -1) return tag === TAG.RECORD ? recordFrom(-2 - length) : decodeBlob(tag, bound.blob(-2 - length))
  return decodeBytes(from, tag, length, offset)
}

/**
 * @param {number} tag
 * @param {number} number
 */
function decodeNumber(tag, number) {
  switch (tag) {
    case TAG.NUMBER:
      return toNumber(number)
    case TAG.UNDEFINED:
      return undefined
    case TAG.NULL:
      return null
    // For a value that goes through a port: the worker that sends it.
    case TAG.PORT:
      return number
    default:
      return tag === TAG.TRUE
  }
}

/**
 * @param {Frame} from
 * @param {number} tag
 * @param {number} length
 * @param {number} offset
 */
function decodeBytes(from, tag, length, offset) {
  switch (tag & 0xff) {
    case TAG.CODEC:
      return decodePlain(from, offset)
    case TAG.VIEW:
      return makeView(tag >>> 8, sliceBuffer(from.memory, offset, offset + length))
    default:
      return decodeText(tag, from.bytes, offset, length)
  }
}

/**
 * @param {number} tag
 * @param {ArrayBuffer | string} blob that has no other owner
 */
function decodeBlob(tag, blob) {
  if (typeof blob === 'string') return blob
  if ((tag & 0xff) === TAG.VIEW) return makeView(tag >>> 8, blob)
  return decodeBytes(new Frame(blob), tag, blob.byteLength, 0)
}

/** @param {number} index of the blob that is the head; the parts are behind it */
function recordFrom(index) {
  let next = index + 1
  const head = /** @type {ArrayBuffer} */ (bound.blob(index))
  return decodeRecord(new Frame(head).bytes, (tag) => decodeBlob(tag, bound.blob(next++)))
}

/**
 * @param {number} type
 * @param {ArrayBuffer} buffer
 */
function makeView(type, buffer) {
  if (type === VIEW.ARRAY_BUFFER) return buffer
  return type === VIEW.BUFFER ? bufferFrom(buffer) : new VIEWS[type](buffer)
}

/**
 * @param {number} tag
 * @param {Buffer} from
 * @param {number} offset
 * @param {number} length
 */
function decodeText(tag, from, offset, length) {
  const end = offset + length
  switch (tag) {
    case TAG.LATIN1:
      return latin1Slice(from, offset, end)
    case TAG.UTF16:
      return ucs2Slice(from, offset, end)
    case TAG.UTF8:
      return utf8Slice(from, offset, end)
    case TAG.JSON:
      return parseJson(utf8Slice(from, offset, end))
    case TAG.BIGINT:
      return bigInt(latin1Slice(from, offset, end))
    default:
      throw new Error(`unknown payload ${tag}`)
  }
}

/**
 * How many bytes the described value takes. No code of the user runs.
 * @param {ArrayBufferView | Parts | string | undefined} extra as `encode` gave it
 */
function sizeOf(extra) {
  if (isArray(extra)) return sizeOfParts(extra)
  if (extra === undefined) return cells[CELL.FORM] === FORM.BYTES ? cells[CELL.LENGTH] : 0
  if (typeof extra === 'string') return cells[CELL.TAG] === TAG.UTF16 ? 2 * extra.length : extra.length
  return byteLengthOf(extra)
}

/** @param {Parts} parts */
function sizeOfParts(parts) {
  let size = 0
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]
    if (typeof part !== 'number') size += byteLengthOf(part)
  }
  return size
}

module.exports = { PORT, encode, sizeOf, encodeForNative, toJson, decode, decodeNumber, decodeBytes, decodeBlob }
