'use strict'

// The tag with which each value of encoded plain data begins.

const TAGS = Object.freeze({
  UNDEFINED: 0,
  NULL: 1,
  FALSE: 2,
  TRUE: 3,
  BYTE: 4,
  INT32: 5,
  DOUBLE: 6,
  /** The next characters of the texts; their number is a byte, or four bytes. */
  TEXT: 7,
  LONG_TEXT: 8,
  BIGINT: 9,
  SHAPE: 10,
  OBJECT: 11,
  ARRAY: 12,
  /** Only numbers, as in a typed array. */
  INTS: 13,
  DOUBLES: 14,
  /** An array with holes, or with properties besides its elements. */
  SPARSE: 15,
  REF: 16,
  DATE: 17,
  REGEXP: 18,
  MAP: 19,
  SET: 20,
  BUFFER: 21,
  VIEW: 22,
  /** A dictionary, as the engine encodes it. */
  ENGINE: 23,
  /** In an array: a missing element. */
  HOLE: 24,
  /** A few characters, written in place. */
  WORD: 25,
  /** An error: its class by number, and its properties. */
  ERROR: 26,
  /** A value so deep that it is written and read without recursion. */
  DEEP: 27,
  /** An array that begins with texts: the length of each text, then the other elements as in any array. */
  TEXTS: 28
})

/**
 * The length of a text in an array of texts is one byte, unless it is one of these: there are no more texts; four bytes
 * with the length follow.
 */
const TEXT = Object.freeze({ ENDS: 254, IS_LONG: 255 })

/** The properties of an error, as bits. They follow in this order, and then its stack. */
const ERROR = Object.freeze({ MESSAGE: 1, CAUSE: 2 })

/**
 * The bits in the first byte of a payload. `TEXTS_AT` has the place where its texts begin. The values follow after
 * `HEADER` bytes.
 */
const FLAGS = Object.freeze({ REFS: 1, TEXTS: 2 })
const TEXTS_AT = 4
const HEADER = 8

/** The kind with which each piece of the texts begins; its length follows. */
const PIECE = Object.freeze({ LATIN1: 0, UTF16: 1 })

/** Thrown for a value that the engine itself must clone. */
const UNSUPPORTED = Object.freeze({ unsupported: true })

module.exports = { UNSUPPORTED, TAGS, TEXT, ERROR, FLAGS, TEXTS_AT, HEADER, PIECE }
