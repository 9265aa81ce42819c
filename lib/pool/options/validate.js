'use strict'

// How options are read: own properties only, unknown names refused with a suggestion, each value
// checked by the rule of its name. A rule is `(value, label) => value`, and throws.

const { inspect } = require('node:util')
const { invalidArgument } = require('../../errors')

/** @param {unknown} value */
function show(value) {
  return inspect(value, { depth: 0, breakLength: Infinity, maxStringLength: 60, maxArrayLength: 3 })
}

/**
 * Optimal string alignment distance, for "did you mean" only.
 * @param {string} a
 * @param {string} b
 */
function distance(a, b) {
  let previous = /** @type {number[]} */ ([])
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const before = previous
    previous = row
    row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      row[j] = Math.min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], before[j - 2] + 1)
    }
  }
  return row[b.length]
}

/**
 * The nearest of `names`, or undefined when none is near.
 * @param {string} name
 * @param {Iterable<string>} names
 */
function nearest(name, names) {
  if (name.length > 64) return undefined
  let best
  let least = Math.max(2, Math.floor(name.length / 3)) + 0.5
  for (const candidate of names) {
    const d = distance(name.toLowerCase(), candidate.toLowerCase())
    if (d < least) [best, least] = [candidate, d]
  }
  return best
}

/**
 * @param {string} name
 * @param {Iterable<string>} names
 */
function didYouMean(name, names) {
  const found = nearest(name, names)
  return found === undefined ? '' : ` Did you mean '${found}'?`
}

/**
 * The options that the caller gave, checked, in an object without a prototype.
 * @param {unknown} given
 * @param {Record<string, (value: any, label: string) => any>} rules
 * @param {string} what for messages, as "Pool options"
 * @returns {any}
 */
function readOptions(given, rules, what) {
  const options = Object.create(null)
  if (given === undefined) return options
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    throw invalidArgument(`${what} must be an object, got ${show(given)}`)
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(rules, name)) {
      throw invalidArgument(`${what}: unknown option '${name}'.${didYouMean(name, Object.keys(rules))}`)
    }
    const value = /** @type {any} */ (given)[name]
    if (value !== undefined) options[name] = rules[name](value, `${what}: '${name}'`)
  }
  return options
}

/**
 * @param {number} min
 * @param {number} max
 * @param {{ infinity?: boolean }} [also]
 */
function integer(min, max, also = {}) {
  const allowed = `an integer from ${min} to ${max}${also.infinity ? ', or Infinity' : ''}`
  return (/** @type {unknown} */ value, /** @type {string} */ label) => {
    if (also.infinity && value === Infinity) return value
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
    throw invalidArgument(`${label} must be ${allowed}, got ${show(value)}`)
  }
}

/** Milliseconds: 0 or more; Infinity means no limit. */
function duration(/** @type {unknown} */ value, /** @type {string} */ label) {
  if (typeof value === 'number' && value >= 0) return value
  throw invalidArgument(`${label} must be a number of milliseconds, 0 or more, or Infinity, got ${show(value)}`)
}

/** @param {string} type */
function typed(type) {
  return (/** @type {unknown} */ value, /** @type {string} */ label) => {
    if (typeof value === type && value !== null) return value
    throw invalidArgument(`${label} must be ${type === 'object' ? 'an' : 'a'} ${type}, got ${show(value)}`)
  }
}

/** @param {(value: any) => boolean} [test] @param {string} [of] */
function arrayOf(test, of = 'values') {
  return (/** @type {unknown} */ value, /** @type {string} */ label) => {
    if (Array.isArray(value) && (test === undefined || value.every(test))) return value
    throw invalidArgument(`${label} must be an array of ${of}, got ${show(value)}`)
  }
}

/** @param {unknown} value */
function any(value) {
  return value
}

module.exports = { readOptions, integer, duration, typed, arrayOf, any, nearest, didYouMean, show }
