'use strict'

// What both ends of an encoding know: the kinds of objects that it has a word for, and its limits.

const { RspoolError } = require('../../errors')
const { errorClasses } = require('../../native/primordials')
const { VIEWS: viewClasses } = require('../../payload/views')

/** Deeper values are refused at both ends: both are recursive. */
const MAX_DEPTH = 1000

/**
 * By name, and by no name that every object has.
 * @template {Function} Class
 * @param {Class[]} classes
 * @returns {Record<string, Class>}
 */
function byName(classes) {
  const named = Object.create(null)
  // Not every version of Node.js has every class, and a list has a hole there.
  classes.forEach((each) => {
    named[each.name] = each
  })
  return named
}

const VIEWS = byName(viewClasses)
const ERRORS = byName(errorClasses)

/**
 * An encoded value.
 * @typedef {object} Encoded
 * @property {string} text
 * @property {Uint8Array[]} parts the bytes of its ArrayBuffers, not copied
 */

/** @param {string} why */
function malformed(why) {
  return new RspoolError('ERR_RSPOOL_BAD_ENVELOPE', `A value that another machine sent cannot be read: ${why}`)
}

module.exports = { MAX_DEPTH, VIEWS, ERRORS, malformed }
