'use strict'

// The bytes of the value that is being encoded: numbers and texts, one after another, in a frame that grows.

const { charCodeAt, latin1Write, setBytes, ucs2Write } = require('../native/primordials')
const { giveBack, larger, leave, scratch, take } = require('./frames')
const { FLAGS, HEADER, PIECE, TAGS: T, TEXT, TEXTS_AT } = require('./tags')
const { beginsWide } = require('./wide')

/** Strings up to this length are written in place, if they have no wide characters. */
const WORD = 8
/** Up to this many characters are copied by JavaScript. For more, a native call is faster. */
const SHORT = 100
/**
 * Characters per piece of the texts. A decoded string is a slice of its piece, and may keep the piece alive. So pieces
 * are small, and a long string is a piece of its own.
 */
const PIECE_LENGTH = 8192
/** Up to this many texts are kept separately: the texts of a small value are copied one after another. */
const FEW_TEXTS = 8

/** The frame that `begin` has taken. */
let taken = scratch
let frame = scratch
let out = scratch.bytes
let outView = scratch.view
/** Where the next byte goes; 0 while no value is encoded. */
let end = 0
/**
 * The strings of a value lie together behind it: many short strings are written and read in a fraction of the time that
 * single ones would take. `texts` has the first strings of the piece that is being gathered, and `otherTexts` the rest.
 */
let texts = noTexts()
let textCount = 0
let otherTexts = ''
let textLength = 0
/** The other pieces. @type {string[]} */
let pieces = []

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

/** @param {number} byte */
function putByte(byte) {
  room(1)
  out[end++] = byte
}

/**
 * @param {number} a
 * @param {number} b
 */
function putBytes(a, b) {
  room(2)
  out[end] = a
  out[end + 1] = b
  end += 2
}

/** @param {number} value of 32 bits */
function putLength(value) {
  room(4)
  outView.setUint32(end, value, true)
  end += 4
}

/**
 * @param {number} tag
 * @param {number} length
 */
function putHead(tag, length) {
  room(5)
  out[end] = tag
  outView.setUint32(end + 1, length, true)
  end += 5
}

/**
 * @param {number} tag
 * @param {number} value
 */
function putDouble(tag, value) {
  room(9)
  out[end] = tag
  outView.setFloat64(end + 1, value, true)
  end += 9
}

/** @param {number} id of a shape */
function putShape(id) {
  room(3)
  out[end] = T.SHAPE
  outView.setUint16(end + 1, id, true)
  end += 3
}

/** @param {number} value */
function isInt(value) {
  return (value | 0) === value && (value !== 0 || 1 / value > 0)
}

/** @param {number} value */
function putNumber(value) {
  if (!isInt(value)) return putDouble(T.DOUBLE, value)
  if (value >= 0 && value < 256) return putBytes(T.BYTE, value)
  room(5)
  out[end] = T.INT32
  outView.setInt32(end + 1, value, true)
  end += 5
}

/** @param {string} value */
function putString(value) {
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
  if (length < 256) putBytes(T.TEXT, length)
  else putHead(T.LONG_TEXT, length)
  if (textLength + length > PIECE_LENGTH) closePiece()
  if (textCount < FEW_TEXTS) texts[textCount++] = value
  else otherTexts += value
  textLength += length
}

/**
 * Puts a text where the reader knows that a text follows.
 * @param {string} value
 */
function putText(value) {
  const { length } = value
  room(5)
  if (length < TEXT.ENDS) out[end++] = length
  else {
    out[end] = TEXT.IS_LONG
    outView.setUint32(end + 1, length, true)
    end += 5
  }
  if (textLength + length > PIECE_LENGTH) closePiece()
  // The separate texts come before these.
  while (textCount < FEW_TEXTS) texts[textCount++] = ''
  otherTexts += value
  textLength += length
}

/**
 * Puts a head with their number, and then the bytes.
 * @param {number} tag
 * @param {Uint8Array} bytes
 */
function putBlock(tag, bytes) {
  putHead(tag, bytes.length)
  room(bytes.length)
  setBytes(out, bytes, end)
  end += bytes.length
}

/**
 * Memory for so many numbers behind a head, aligned for a typed array. It becomes part of the value with `keepNumbers`.
 * @param {number} length
 */
function numbersFor(length) {
  const from = placeOfNumbers()
  room(from + 8 * length - end)
  return new Float64Array(frame.memory, from, length)
}

/** The aligned place behind a head. */
function placeOfNumbers() {
  return (end + 12) & ~7
}

/**
 * Puts the numbers that were written to the memory of `numbersFor`.
 * @param {Float64Array} doubles
 * @param {boolean} ints whether all are integers of 32 bits
 */
function keepNumbers(doubles, ints) {
  const { length } = doubles
  const from = placeOfNumbers()
  if (ints) {
    const all = new Int32Array(frame.memory, from, length)
    for (let i = 0; i < length; i++) all[i] = doubles[i]
  }
  out[end] = ints ? T.INTS : T.DOUBLES
  outView.setUint32(end + 1, length, true)
  end = from + (ints ? 4 : 8) * length
}

function noTexts() {
  return /** @type {string[]} */ (new Array(FEW_TEXTS).fill(''))
}

function closePiece() {
  if (textLength === 0) return
  let piece = ''
  for (let i = 0; i < textCount; i++) piece += texts[i]
  pieces.push(piece + otherTexts)
  textCount = textLength = 0
  otherTexts = ''
}

/**
 * Writes the only piece, which is short, if it has few texts and no wide characters.
 * @returns whether it did
 */
function writeShort() {
  if (otherTexts !== '') return false
  const start = end
  putHead(PIECE.LATIN1, textLength)
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
  putHead(PIECE.LATIN1, length)
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

/** The state of the value that is being encoded around the next one. */
function state() {
  return { taken, frame, out, outView, end, texts, textCount, otherTexts, textLength, pieces }
}

/**
 * Begins a value in a frame of its own, since a getter in another value may encode it.
 * @returns {ReturnType<typeof state> | undefined} the state of that other value, for `leaveOutput`
 */
function begin() {
  const outer = end === 0 ? undefined : state()
  if (outer !== undefined) {
    texts = noTexts()
    pieces = []
  }
  taken = frame = take()
  out = frame.bytes
  outView = frame.view
  end = HEADER
  textCount = textLength = 0
  otherTexts = ''
  return outer
}

/**
 * Writes the texts behind the values, and the header before them.
 * @param {boolean} shared whether the value has references
 * @returns {number | Buffer} how many bytes of `scratch`, or bytes elsewhere; valid until the next value is encoded
 */
function finish(shared) {
  const at = end
  if (pieces.length > 0 || textLength > SHORT || (textLength > 0 && !writeShort())) {
    closePiece()
    for (let i = 0; i < pieces.length; i++) writePiece(pieces[i])
  }
  out[0] = shared ? FLAGS.REFS : 0
  if (end !== at) {
    out[0] |= FLAGS.TEXTS
    outView.setUint32(TEXTS_AT, at, true)
  }
  return frame === scratch ? end : out.subarray(0, end)
}

/** @param {ReturnType<typeof state> | undefined} outer that `begin` has given */
function leaveOutput(outer) {
  giveBack(taken)
  if (frame !== taken) leave(frame)
  if (outer !== undefined) {
    ;({ taken, frame, out, outView, end, texts, textCount, otherTexts, textLength, pieces } = outer)
    return
  }
  taken = frame = scratch
  out = scratch.bytes
  outView = scratch.view
  end = 0
  otherTexts = ''
  if (pieces.length > 0) pieces = []
}

module.exports = {
  begin,
  finish,
  isInt,
  keepNumbers,
  leaveOutput,
  numbersFor,
  putBlock,
  putByte,
  putBytes,
  putDouble,
  putHead,
  putLength,
  putNumber,
  putShape,
  putString,
  putText
}
