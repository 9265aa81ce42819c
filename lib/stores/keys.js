'use strict'

// The keys of a store in a map that it may share with others: a prefix, and what the caller says.

const { createHash } = require('node:crypto')
const { invalidArgument } = require('../errors')
const { readOptions, string, show } = require('../pool/options/validate')

/** Bytes that a map allows. */
const LONGEST = 250
const MOST_PREFIX = 100
/** Stands before the digest of a key that is too long: callers make keys of URLs. */
const MARK = '\0'
const DIGEST_BYTES = 43

/**
 * @typedef {import('../..').SharedMap} SharedMap
 * @typedef {(key: string) => string} Named
 */

/**
 * @param {string} prefix
 * @returns {Named} the key in the map: its begin and a digest when it is too long
 */
function keysWith(prefix) {
  const room = LONGEST - Buffer.byteLength(prefix)
  // A character of two bytes in JavaScript has three in UTF-8 at most.
  const begin = Math.floor((room - DIGEST_BYTES - MARK.length) / 3)
  return (key) => {
    if (Buffer.byteLength(key) <= room && !key.includes(MARK)) return `${prefix}${key}`
    const digest = createHash('sha256').update(key).digest('base64url')
    // Without half of a character at its end.
    return `${prefix}${Buffer.from(key.slice(0, begin))}${MARK}${digest}`
  }
}

/** Was the key too long, so that nobody knows it any more? @param {string} named */
function isDigest(named) {
  return named.at(-DIGEST_BYTES - 1) === MARK
}

/**
 * The map and the prefix that a store was made with.
 * @param {string} store its name, for messages
 * @param {unknown} map
 * @param {unknown} options
 * @param {string} prefix the one by default
 */
function readStore(store, map, options, prefix) {
  if (!isMap(map)) throw invalidArgument(`${store}: the first argument must be a SharedMap, got ${show(map)}`)
  const given = readOptions(options, { prefix: string }, `${store} options`)
  const chosen = given.prefix ?? prefix
  if (Buffer.byteLength(chosen) > MOST_PREFIX)
    throw invalidArgument(`${store} options: 'prefix' must have ${MOST_PREFIX} bytes at most`)
  return { map, prefix: chosen, named: keysWith(chosen) }
}

/** Of whatever copy of the package. @param {unknown} value @returns {value is SharedMap} */
function isMap(value) {
  return (
    value !== null &&
    typeof value === 'object' &&
    ['get', 'set', 'increment', 'expire', 'keys'].every((name) => typeof Reflect.get(value, name) === 'function')
  )
}

module.exports = { readStore, keysWith, isDigest }
