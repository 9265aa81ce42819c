'use strict'

// Encodes errors, in the order in which the engine reads their properties. Loaded for the first error.

const { classOf, dataOf, isException } = require('./exceptions')
const { putByte, putBytes, putString } = require('./output')
const { beginCause, endCause } = require('./references')
const { ERROR, TAGS: T, UNSUPPORTED } = require('./tags')

/**
 * @param {object} error
 * @param {object | null} proto
 * @param {(value: unknown) => void} write
 */
function writeError(error, proto, write) {
  if (!isException(error, proto)) throw UNSUPPORTED
  const message = dataOf(error, 'message')
  const cause = dataOf(error, 'cause')
  const kind = classOf(error.name)
  if (kind < 0) throw UNSUPPORTED
  putBytes(T.ERROR, kind)
  putByte((message === undefined ? 0 : ERROR.MESSAGE) | (cause === undefined ? 0 : ERROR.CAUSE))
  if (message !== undefined) writeText(message.value)
  if (cause !== undefined) {
    beginCause(error)
    write(cause.value)
    endCause()
  }
  writeText(error.stack)
}

/** @param {unknown} text */
function writeText(text) {
  if (typeof text !== 'string') throw UNSUPPORTED
  putString(text)
}

module.exports = { writeError }
