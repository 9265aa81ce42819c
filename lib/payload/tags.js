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
  LATIN1: 7,
  LONG_LATIN1: 8,
  UTF16: 9,
  BIGINT: 10,
  SHAPE: 11,
  OBJECT: 12,
  ARRAY: 13,
  REF: 14,
  DATE: 15,
  MAP: 16,
  SET: 17,
  BUFFER: 18,
  VIEW: 19
})

module.exports = { TAGS }
