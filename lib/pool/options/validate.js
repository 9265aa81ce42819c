'use strict'

// How options are read: only own properties, each value checked by the rule of its name. An unknown name is refused
// with a suggestion. A rule returns the value, or the value that it stands for, or throws.

const { inspect } = require('node:util')
const { invalidArgument } = require('../../errors')

/**
 * @template T
 * @typedef {(value: unknown, label: string) => T} Rule
 */

/**
 * The object that rules read.
 * @template {Record<string, Rule<unknown>>} Rules
 * @typedef {{ -readonly [K in keyof Rules]?: ReturnType<Rules[K]> }} ReadBy
 */

/** @param {unknown} value */
function show(value) {
  return inspect(value, { depth: 0, breakLength: Infinity, maxStringLength: 60, maxArrayLength: 3 })
}

/**
 * The optimal string alignment distance, only for "did you mean".
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
    // The beginning of a name counts as near.
    const d = name.length > 2 && candidate.startsWith(name) ? 0 : distance(name.toLowerCase(), candidate.toLowerCase())
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
 * @template {Record<string, Rule<unknown>>} Rules
 * @param {unknown} given
 * @param {Rules} rules
 * @param {string} what for messages, such as "Pool options"
 * @param {(name: string) => string | undefined} [advise] gives the advice for an unknown option
 * @param {(given: unknown) => string} [adviseOnKind] gives the advice for a value that is no object of options
 * @returns {ReadBy<Rules>}
 */
function readOptions(given, rules, what, advise, adviseOnKind) {
  const options = Object.create(null)
  if (given === undefined) return options
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    throw invalidArgument(`${what} must be an object, got ${show(given)}${adviseOnKind?.(given) ?? ''}`)
  }
  let empty = true
  for (const [name, value] of ownEntries(given)) {
    empty = false
    if (!Object.hasOwn(rules, name)) {
      const advice = advise?.(name) ?? didYouMean(name, Object.keys(rules))
      throw invalidArgument(
        `${what}: unknown option '${name}'.${advice || ` There are: ${Object.keys(rules).join(', ')}`}`
      )
    }
    if (value !== undefined) options[name] = rules[name](value, `${what}: '${name}'`)
  }
  if (empty && given instanceof AbortSignal)
    throw invalidArgument(`${what} must be an object, got a signal. Write { signal }`)
  return options
}

/**
 * Each property is read when its turn comes, since a getter may throw.
 * @param {object} object
 * @returns {Iterable<[string, unknown]>}
 */
function* ownEntries(object) {
  for (const name of Object.keys(object)) yield [name, /** @type {Record<string, unknown>} */ (object)[name]]
}

/**
 * @param {number} min
 * @param {number} max
 * @param {{ infinity?: boolean }} [also]
 * @returns {Rule<number>}
 */
function integer(min, max, also = {}) {
  const allowed = `an integer from ${min} to ${max}${also.infinity ? ', or Infinity' : ''}`
  return (value, label) => {
    if (also.infinity && value === Infinity) return value
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
    throw invalidArgument(`${label} must be ${allowed}, got ${show(value)}`)
  }
}

/** Milliseconds: 0 or more; Infinity means no limit. @type {Rule<number>} */
function duration(value, label) {
  if (typeof value === 'number' && value >= 0) return value
  throw invalidArgument(`${label} must be a number of milliseconds, 0 or more, or Infinity, got ${show(value)}`)
}

/** A time limit: more than 0; Infinity is none. @type {Rule<number>} */
function limit(value, label) {
  if (typeof value === 'number' && value > 0) return value
  throw invalidArgument(`${label} must be a number of milliseconds above 0, or Infinity, got ${show(value)}`)
}

/** @type {Rule<boolean>} */
function boolean(value, label) {
  if (typeof value === 'boolean') return value
  throw invalidArgument(`${label} must be a boolean, got ${show(value)}`)
}

/**
 * @template {string | boolean} T
 * @param {...T} allowed
 * @returns {Rule<T>}
 */
function oneOf(...allowed) {
  const [last, ...others] = allowed.map(show).reverse()
  const all = others.length === 0 ? last : `${others.reverse().join(', ')} or ${last}`
  return (value, label) => {
    const found = allowed.find((each) => each === value)
    if (found !== undefined) return found
    throw invalidArgument(`${label} must be ${all}, got ${show(value)}`)
  }
}

/** @type {Rule<string>} */
function string(value, label) {
  if (typeof value === 'string') return value
  throw invalidArgument(`${label} must be a string, got ${show(value)}`)
}

/** @type {Rule<string>} */
function text(value, label) {
  if (typeof value === 'string' && value !== '') return value
  throw invalidArgument(`${label} must be a string that is not empty, got ${show(value)}`)
}

/** @type {Rule<object>} */
function object(value, label) {
  if (typeof value === 'object' && value !== null) return value
  throw invalidArgument(`${label} must be an object, got ${show(value)}`)
}

/** @type {Rule<(...args: unknown[]) => unknown>} */
function callable(value, label) {
  if (typeof value === 'function') return /** @type {(...args: unknown[]) => unknown} */ (value)
  throw invalidArgument(`${label} must be a function, got ${show(value)}`)
}

/** @type {Rule<readonly object[]>} */
function array(value, label) {
  if (Array.isArray(value)) return value
  throw invalidArgument(`${label} must be an array of values, got ${show(value)}`)
}

/**
 * Objects to move. The engine refuses an object that cannot be moved.
 * @type {Rule<readonly import('node:worker_threads').Transferable[]>}
 */
function transferables(value, label) {
  return /** @type {import('node:worker_threads').Transferable[]} */ (array(value, label))
}

/** @type {Rule<string[]>} */
function strings(value, label) {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return [...value]
  throw invalidArgument(`${label} must be an array of strings, got ${show(value)}`)
}

/** @type {Rule<AbortSignal>} */
function abortSignal(value, label) {
  if (value instanceof AbortSignal) return value
  throw invalidArgument(`${label} must be an AbortSignal, got ${show(value)}`)
}

/** Copies own properties into a new object. @type {Rule<Record<string, unknown>>} */
function named(value, label) {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw invalidArgument(`${label} must be an object, got ${show(value)}`)
  return Object.assign(Object.create(null), value)
}

const TYPES = { boolean, string, object, function: callable }

/**
 * The rule of a type.
 * @template {keyof typeof TYPES} T
 * @param {T} type
 * @returns {(typeof TYPES)[T]}
 */
function typed(type) {
  return TYPES[type]
}

/** @type {Rule<unknown>} */
function anything(value) {
  return value
}

module.exports = {
  readOptions,
  abortSignal,
  anything,
  array,
  boolean,
  callable,
  duration,
  integer,
  limit,
  named,
  object,
  oneOf,
  string,
  strings,
  text,
  transferables,
  typed,
  nearest,
  didYouMean,
  show
}
