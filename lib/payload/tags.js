'use strict'

// What each value of encoded plain data begins with.

const TAGS = Object.freeze({
  UNDEFINED: 0,
  NULL: 1,
  FALSE: 2,
  TRUE: 3,
  BYTE: 4,
  INT32: 5,
  DOUBLE: 6,
  /** The next so many characters of the texts; the length is a byte, or four. */
  TEXT: 7,
  LONG_TEXT: 8,
  BIGINT: 9,
  SHAPE: 10,
  OBJECT: 11,
  ARRAY: 12,
  /** Numbers only, which lie there as in a typed array. */
  INTS: 13,
  DOUBLES: 14,
  /** With holes, or with other properties than its elements. */
  SPARSE: 15,
  REF: 16,
  DATE: 17,
  REGEXP: 18,
  MAP: 19,
  SET: 20,
  BUFFER: 21,
  VIEW: 22,
  /** A dictionary, as the engine writes it. */
  ENGINE: 23,
  /** In an array: there is no such element. */
  HOLE: 24,
  /** A few characters, in place. */
  WORD: 25,
  /** An error: its class by number, and what it has. */
  ERROR: 26,
  /** A value that is so deep that it is written and read without recursion. */
  DEEP: 27,
  /** An array that begins with texts: the length of each, up to what follows as in any array. */
  TEXTS: 28
})

/** The length of a text in an array of texts is a byte, if it is less than these: there are no more texts; four bytes follow. */
const TEXT = Object.freeze({ ENDS: 254, IS_LONG: 255 })

/** What an error has, as bits; in this order, then its stack. */
const ERROR = Object.freeze({ MESSAGE: 1, CAUSE: 2 })

/** What the first byte of a payload says; at `TEXTS_AT` is where its texts begin. The values follow after `HEADER` bytes. */
const FLAGS = Object.freeze({ REFS: 1, TEXTS: 2 })
const TEXTS_AT = 4
const HEADER = 8

/** What each piece of the texts begins with; its length follows. */
const PIECE = Object.freeze({ LATIN1: 0, UTF16: 1 })

/** The value is for the engine's own clone. */
const UNSUPPORTED = Object.freeze({ unsupported: true })

module.exports = { UNSUPPORTED, TAGS, TEXT, ERROR, FLAGS, TEXTS_AT, HEADER, PIECE }
