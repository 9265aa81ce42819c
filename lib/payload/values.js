'use strict'

// Values into the mailbox and out of it. The route is chosen per value: numbers and the like as they
// are, strings and whole views as their bytes, plain data in an encoding of its own, and the rest
// through a port.

const { types } = require('node:util')
const { invalidArgument } = require('../errors')
const { bound, memory, cells, numbers, bytes } = require('../native/environment')
const { CELL, FORM, NUMBER, SIZE, TAG, VIEW } = require('../native/wire')
const { decode: decodePlain } = require('./decode')
const { encode: encodePlain, isEncoding, UNSUPPORTED } = require('./encode')
const { VIEWS, viewType, isWholeView, isDetached, slabBytes } = require('./views')

/** Whether so many bytes are to go through the mailbox, which a value that is being encoded has. */
function fits(/** @type {number} */ size) {
  return size <= SIZE.COPIED && !isEncoding()
}
/** Strings up to this length are copied here, character by character. */
const SHORT = 24

const mailboxView = new DataView(memory)

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
function inMailbox(tag, length) {
  cells[CELL.TAG] = tag
  cells[CELL.FORM] = FORM.BYTES
  cells[CELL.LENGTH] = length
}

/**
 * @param {number} tag
 * @param {ArrayBufferView} view
 */
function elsewhere(tag, view) {
  cells[CELL.TAG] = tag
  cells[CELL.FORM] = FORM.ELSEWHERE
  return view instanceof DataView ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : view
}

/**
 * Puts a value into the mailbox. What it gives is to be passed to the native call: nothing, or a view
 * whose bytes that call copies; or PORT, and nothing was put.
 * @param {any} value
 * @returns {ArrayBufferView | undefined | typeof PORT}
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
        // What is empty may be detached, which the engine refuses.
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

/** @param {string} value */
function encodeString(value) {
  const length = value.length
  if (length <= SHORT && !isEncoding()) {
    let all = 0
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      all |= code
      bytes[SIZE.DATA + i] = code
    }
    if (all < 256) return inMailbox(TAG.LATIN1, length)
  }
  const ascii = Buffer.byteLength(value) === length
  const tag = ascii ? TAG.LATIN1 : TAG.UTF16
  const size = ascii ? length : 2 * length
  if (!fits(size)) return elsewhere(tag, Buffer.from(value, ascii ? 'latin1' : 'utf16le'))
  return inMailbox(tag, ascii ? bytes.latin1Write(value, SIZE.DATA, size) : bytes.ucs2Write(value, SIZE.DATA, size))
}

/** @param {bigint} value */
function encodeBigInt(value) {
  const digits = value.toString(16)
  if (!fits(digits.length)) return elsewhere(TAG.BIGINT, Buffer.from(digits, 'latin1'))
  return inMailbox(TAG.BIGINT, bytes.latin1Write(digits, SIZE.DATA, SIZE.COPIED))
}

/**
 * @param {number} type
 * @param {ArrayBufferView} view
 */
function encodeView(type, view) {
  const tag = TAG.VIEW | (type << 8)
  if (!fits(view.byteLength)) return elsewhere(tag, view)
  bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), SIZE.DATA)
  return inMailbox(tag, view.byteLength)
}

/** @param {object} value */
function encodeData(value) {
  let encoded
  try {
    encoded = encodePlain(value, bytes, mailboxView, SIZE.DATA)
  } catch (error) {
    if (error === UNSUPPORTED) return PORT
    throw error
  }
  return typeof encoded === 'number' ? inMailbox(TAG.CODEC, encoded) : elsewhere(TAG.CODEC, encoded)
}

/**
 * As `encode`, for the native lane: strings as UTF-8, shared memory copied, other objects as JSON.
 * @param {any} value
 * @returns {ArrayBufferView | undefined}
 */
function encodeForNative(value) {
  switch (typeof value) {
    case 'string':
      return fits(value.length * 3)
        ? inMailbox(TAG.UTF8, bytes.utf8Write(value, SIZE.DATA, SIZE.COPIED))
        : elsewhere(TAG.UTF8, Buffer.from(value))
    case 'object': {
      if (value === null) return plain(TAG.NULL, 0)
      if (types.isAnyArrayBuffer(value)) return encodeView(VIEW.BUFFER, own(new Uint8Array(refuseDetached(value))))
      if (ArrayBuffer.isView(value)) {
        refuseDetached(value.buffer)
        const type = byteType(value)
        if (type >= 0) return encodeView(type, own(value))
      }
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
 * A BigInt becomes its digits, which a param of 64 bits also takes.
 * @param {object} value
 * @param {string} label
 */
function toJson(value, label) {
  try {
    return JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each)) ?? 'null'
  } catch (cause) {
    const { message } = /** @type {any} */ (cause) ?? {}
    throw invalidArgument(`${label} of a native task must be plain data: ${message}`, { cause })
  }
}

/** @param {ArrayBufferView} view */
function byteType(view) {
  if (view instanceof DataView || Buffer.isBuffer(view)) return VIEW.BUFFER
  const type = VIEWS.findIndex((View) => View.name === /** @type {any} */ (view)[Symbol.toStringTag])
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
 * The same bytes where no other thread writes.
 * @param {ArrayBufferView} view
 */
function own(view) {
  if (!types.isSharedArrayBuffer(view.buffer)) return view
  return new Uint8Array(new Uint8Array(/** @type {any} */ (view.buffer), view.byteOffset, view.byteLength))
}

/**
 * A number as the engine would have made it: a small integer, not a boxed double, wherever it can be one.
 * The first calls of a function decide what it is optimised for, so boxed inputs would slow it for ever.
 * @param {number} n
 */
function toNumber(n) {
  const int = n | 0
  return int === n && (int !== 0 || 1 / n > 0) ? int : n
}

/**
 * The value of a payload.
 * @param {number} tag
 * @param {number} length bytes in the mailbox from `offset`; -1: a number there; -2 - i: blob i
 * @param {number} offset
 * @returns {any}
 */
function decode(tag, length, offset) {
  if (length === -1) {
    switch (tag) {
      case TAG.NUMBER:
        return toNumber(numbers[offset >> 3])
      case TAG.UNDEFINED:
        return undefined
      case TAG.NULL:
        return null
      default:
        return tag === TAG.TRUE
    }
  }
  if (length < -1) return decodeBlob(tag, bound.blob(-2 - length))
  switch (tag & 0xff) {
    case TAG.CODEC:
      return decodePlain(bytes, mailboxView, offset)
    case TAG.VIEW:
      return makeView(tag >>> 8, memory.slice(offset, offset + length))
    default:
      return decodeText(tag, bytes, offset, length)
  }
}

/**
 * @param {number} tag
 * @param {ArrayBuffer} blob
 */
function decodeBlob(tag, blob) {
  if ((tag & 0xff) === TAG.VIEW) return makeView(tag >>> 8, blob)
  const all = Buffer.from(blob)
  return tag === TAG.CODEC ? decodePlain(all, new DataView(blob), 0) : decodeText(tag, all, 0, all.length)
}

/**
 * @param {number} type
 * @param {ArrayBuffer} buffer
 */
function makeView(type, buffer) {
  if (type === VIEW.ARRAY_BUFFER) return buffer
  return type === VIEW.BUFFER ? Buffer.from(buffer) : new VIEWS[type](buffer)
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
      return from.latin1Slice(offset, end)
    case TAG.UTF16:
      return from.ucs2Slice(offset, end)
    case TAG.UTF8:
      return from.utf8Slice(offset, end)
    case TAG.JSON:
      return JSON.parse(from.utf8Slice(offset, end))
    case TAG.BIGINT: {
      const digits = from.latin1Slice(offset, end)
      return digits[0] === '-' ? -BigInt(`0x${digits.slice(1)}`) : BigInt(`0x${digits}`)
    }
    default:
      throw new Error(`unknown payload ${tag}`)
  }
}

module.exports = { PORT, encode, encodeForNative, toJson, decode }
