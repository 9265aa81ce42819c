'use strict'

// The parts of an encoding that both ends know: the kinds of objects, and its limits.

const { RspoolError } = require('../../errors')
const { errorClasses } = require('../../native/primordials')
const { VIEWS: viewClasses } = require('../../payload/views')

/** Both ends refuse deeper values, since both are recursive. */
const MAX_DEPTH = 1000

/**
 * The kinds by name. The object has no inherited names.
 * @template {Function} Class
 * @param {Class[]} classes
 * @returns {Record<string, Class>}
 */
function byName(classes) {
  const named = Object.create(null)
  // A version of Node.js may lack a class. The list then has a hole.
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
