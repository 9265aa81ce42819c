'use strict'

// The options of shared maps, and of what is put into them.

const { invalidArgument } = require('../errors')
const { boolean, integer, limit, readOptions, show } = require('../pool/options/validate')

const UNITS = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 }
const LEAST = 2 ** 14
const MOST = 2 ** 36

/** @param {unknown} value @param {string} label */
function bytes(value, label) {
  const parts = typeof value === 'string' ? /^(\d+(?:\.\d+)?) ?([KMG]?B)$/.exec(value) : undefined
  const number = parts ? Math.floor(Number(parts[1]) * UNITS[/** @type {keyof UNITS} */ (parts[2])]) : value
  if (typeof number === 'number' && Number.isInteger(number) && number >= LEAST && number <= MOST) return number
  throw invalidArgument(
    `${label} must be a number of bytes from ${LEAST} to 2³⁶, or a text as '64MB' (2²⁰ bytes each), got ${show(value)}`
  )
}

const RULES = { bytes, ttl: limit, evict: boolean, maxValueBytes: integer(1, MOST) }

/** @typedef {{ bytes: number, ttl: number, evict: boolean, maxValueBytes: number }} MapSpec */

/**
 * @param {unknown} given
 * @param {string} label
 * @returns {MapSpec}
 */
function readMapOptions(given, label) {
  const options = readOptions(given, RULES, label)
  if (options.bytes === undefined) throw invalidArgument(`${label}: 'bytes' is missing: how much the map may hold`)
  const { bytes: size, ttl: lasts = Infinity, evict = true } = options
  const { maxValueBytes = Math.min(Math.floor(size / 16), 2 ** 24) } = options
  if (maxValueBytes > size / 4) {
    throw invalidArgument(`${label}: 'maxValueBytes' can be a quarter of 'bytes' at most, got ${show(maxValueBytes)}`)
  }
  return { bytes: size, ttl: lasts, evict, maxValueBytes }
}

/**
 * The maps of a cluster, by name.
 * @param {unknown} value
 * @param {string} label
 * @returns {Record<string, MapSpec>}
 */
function maps(value, label) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw invalidArgument(`${label} must be an object of { name: { bytes } }, got ${show(value)}`)
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, spec]) => [name, readMapOptions(spec, `${label}.${name}`)])
  )
}

module.exports = { readMapOptions, maps }
