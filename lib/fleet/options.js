'use strict'

// The rules of the options of the fleet and of its calls.

const { invalidArgument } = require('../errors')
const {
  readOptions: read,
  anything,
  callable,
  integer,
  limit: positive,
  object,
  show,
  text
} = require('../pool/options/validate')

/**
 * @template T
 * @typedef {import('../pool/options/validate').Rule<T>} Rule
 */

/**
 * @template T
 * @param {(value: unknown) => boolean} holds
 * @param {string} is
 * @returns {Rule<T>}
 */
function must(holds, is) {
  return (value, label) => {
    if (holds(value)) return /** @type {T} */ (value)
    throw invalidArgument(`${label} must be ${is}, got ${show(value)}`)
  }
}

/** @param {number} least @returns {Rule<number>} milliseconds */
const duration = (least) =>
  must((value) => typeof value === 'number' && value >= least, `milliseconds, ${least} or more`)
/** @param {number} least @returns {Rule<number>} */
const count = (least) => must((value) => Number.isInteger(value) && Number(value) >= least, `a count, ${least} or more`)
/** @type {Rule<readonly string[]>} */
const names = must(
  (value) => Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string' && name !== ''),
  'an array of the names that are taken'
)
/** @type {Rule<AbortSignal>} */
const signal = must((value) => value instanceof AbortSignal, 'an AbortSignal')
/** @type {Rule<import('./types').Store | string | URL>} */
const store = must(
  (value) => typeof value === 'string' || (value !== null && typeof value === 'object'),
  'a store, or the path of a module that exports one'
)
/** @type {Rule<Date | number>} */
const deadline = must(
  (value) => value instanceof Date || typeof value === 'number',
  'a Date, or milliseconds since the epoch'
)
/** @type {Rule<string | number>} */
const affinity = must(
  (value) => (typeof value === 'string' && value !== '') || Number.isFinite(value),
  'a text or a number'
)
/** @type {Rule<number | 'auto'>} */
const chunk = must((value) => value === 'auto' || (Number.isInteger(value) && Number(value) >= 1), "'auto', or a count")

const FLEET = {
  connection: anything,
  pool: object,
  tasks: names,
  store,
  secret: text,
  resultTtl: positive,
  maxInputSize: positive,
  maxQueue: count(0),
  prefix: text
}

const WORK = {
  pool: object,
  tasks: names,
  grace: duration(0),
  lockDuration: duration(1000),
  maxTimeout: positive,
  skewGrace: duration(0)
}

/** The options of every call. */
const SHARED = {
  timeout: positive,
  deadline,
  priority: integer(-20, 19),
  retries: count(0),
  group: text,
  affinity,
  context: object,
  attempts: count(1),
  backoff: duration(0),
  key: text
}

const WAITED = {
  ...SHARED,
  queueTimeout: positive,
  orphanTimeout: duration(1000),
  resultTimeout: positive,
  signal,
  onProgress: callable
}

const SENT = { ...SHARED, delay: duration(0) }

const MAPPED = { ...SHARED, signal, concurrency: count(1), chunk }

/** Options that pools have and a fleet cannot have. @type {Record<string, string>} */
const REFUSED = {
  transferList: 'nothing can be moved to another machine',
  counters: 'no memory is shared with another machine',
  params: 'the worker sets those of its native tasks',
  filename: 'a task is called by its name only, and workers say which they take',
  name: 'the task is the first argument'
}

/** @param {string} name */
function adviseOn(name) {
  return Object.hasOwn(REFUSED, name) ? ` In a fleet there is none: ${REFUSED[name]}` : undefined
}

/**
 * Reads own properties only. Unknown names and values that are not allowed throw.
 * @template {Record<string, Rule<unknown>>} Rules
 * @param {unknown} given
 * @param {Rules} rules
 * @param {string} label
 */
function readOptions(given, rules, label) {
  return read(given, rules, label, adviseOn)
}

module.exports = { FLEET, WORK, WAITED, SENT, MAPPED, readOptions }
