'use strict'

// The keys of a store in a map that it may share with others: a prefix, then the caller's key.

const { createHash } = require('node:crypto')
const { invalidArgument } = require('../errors')
const { readOptions, string, show } = require('../pool/options/validate')

/** The most bytes that a map allows in a key. */
const LONGEST = 250
const MOST_PREFIX = 100
/** Stands before the digest of a key that is too long, as a URL may be that a caller uses as a key. */
const MARK = '\0'
const DIGEST_BYTES = 43

/**
 * @typedef {import('../..').SharedMap} SharedMap
 * @typedef {(key: string) => string} Named
 */

/**
 * @param {string} prefix
 * @returns {Named} gives the key in the map: for a key that is too long, its beginning and a digest
 */
function keysWith(prefix) {
  const room = LONGEST - Buffer.byteLength(prefix)
  // A UTF-16 code unit takes at most three bytes in UTF-8.
  const begin = Math.floor((room - DIGEST_BYTES - MARK.length) / 3)
  return (key) => {
    if (Buffer.byteLength(key) <= room && !key.includes(MARK)) return `${prefix}${key}`
    const digest = createHash('sha256').update(key).digest('base64url')
    // `Buffer.from` replaces half of a character at the end.
    return `${prefix}${Buffer.from(key.slice(0, begin))}${MARK}${digest}`
  }
}

/** Whether the key was too long, so that the map has only its digest. @param {string} named */
function isDigest(named) {
  return named.at(-DIGEST_BYTES - 1) === MARK
}

/**
 * The map and the prefix that a store was made with.
 * @param {string} store its name, for messages
 * @param {unknown} map
 * @param {unknown} options
 * @param {string} prefix the default
 */
function readStore(store, map, options, prefix) {
  if (!isMap(map)) throw invalidArgument(`${store}: the first argument must be a SharedMap, got ${show(map)}`)
  const given = readOptions(options, { prefix: string }, `${store} options`)
  const chosen = given.prefix ?? prefix
  if (Buffer.byteLength(chosen) > MOST_PREFIX)
    throw invalidArgument(`${store} options: 'prefix' must have ${MOST_PREFIX} bytes at most`)
  return { map, prefix: chosen, named: keysWith(chosen) }
}

/** Whether the value is a map, made by whatever copy of the package. @param {unknown} value @returns {value is SharedMap} */
function isMap(value) {
  return (
    value !== null &&
    typeof value === 'object' &&
    ['get', 'set', 'increment', 'expire', 'keys'].every((name) => typeof Reflect.get(value, name) === 'function')
  )
}

module.exports = { readStore, keysWith, isDigest }
