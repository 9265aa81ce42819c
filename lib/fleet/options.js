'use strict'

// What the options of the fleet and of its calls must be.

const { invalidArgument } = require('../errors')
const { show } = require('../pool/options/validate')

/**
 * @typedef {(value: unknown) => boolean} Test
 * @typedef {Record<string, [holds: Test, is: string]>} Rules
 */

/** @type {[Test, string]} */
const POSITIVE = [(value) => typeof value === 'number' && value > 0, 'a number above 0']
/** @type {[Test, string]} */
const COUNT = [(value) => Number.isInteger(value) && Number(value) >= 0, 'a count, 0 or more']
/** @type {[Test, string]} */
const LIMIT = [(value) => typeof value === 'number' && value >= 0, 'milliseconds, 0 or more']
/** @type {[Test, string]} */
const TEXT = [(value) => typeof value === 'string' && value !== '', 'a text that is not empty']
/** @type {[Test, string]} */
const OBJECT = [(value) => value !== null && typeof value === 'object', 'an object']
/** @type {[Test, string]} */
const NAMES = [
  (value) => Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string' && name !== ''),
  'an array of the names that are taken'
]
/** @type {[Test, string]} */
const FUNCTION = [(value) => typeof value === 'function', 'a function']
/** @type {[Test, string]} */
const SIGNAL = [(value) => value instanceof AbortSignal, 'an AbortSignal']
/** @type {[Test, string]} */
const ANY = [() => true, '']

/** @type {Rules} */
const FLEET = {
  connection: ANY,
  pool: OBJECT,
  tasks: NAMES,
  store: [
    (value) => typeof value === 'string' || value instanceof URL || (value !== null && typeof value === 'object'),
    'a store, or the path of a module that exports one'
  ],
  secret: TEXT,
  resultTtl: POSITIVE,
  maxInputSize: POSITIVE,
  maxQueue: COUNT,
  prefix: TEXT
}

/** @type {Rules} */
const WORK = {
  pool: OBJECT,
  tasks: NAMES,
  grace: LIMIT,
  lockDuration: [(value) => typeof value === 'number' && value >= 1000, 'milliseconds, 1000 or more'],
  maxTimeout: POSITIVE,
  skewGrace: LIMIT
}

/** Of every call. @type {Rules} */
const SHARED = {
  timeout: POSITIVE,
  deadline: [(value) => value instanceof Date || typeof value === 'number', 'a Date, or milliseconds since the epoch'],
  priority: [
    (value) => Number.isInteger(value) && Number(value) >= -20 && Number(value) <= 19,
    'an integer from -20 to 19'
  ],
  retries: COUNT,
  group: TEXT,
  affinity: [(value) => (typeof value === 'string' && value !== '') || Number.isFinite(value), 'a text or a number'],
  context: OBJECT,
  attempts: [(value) => Number.isInteger(value) && Number(value) >= 1, 'a count, 1 or more'],
  backoff: LIMIT,
  key: TEXT
}

/** @type {Rules} */
const WAITED = {
  ...SHARED,
  queueTimeout: POSITIVE,
  orphanTimeout: [(value) => typeof value === 'number' && value >= 1000, 'milliseconds, 1000 or more'],
  resultTimeout: POSITIVE,
  signal: SIGNAL,
  onProgress: FUNCTION
}

/** @type {Rules} */
const SENT = { ...SHARED, delay: LIMIT }

/** @type {Rules} */
const MAPPED = {
  ...SHARED,
  signal: SIGNAL,
  concurrency: [(value) => Number.isInteger(value) && Number(value) >= 1, 'a count, 1 or more'],
  chunk: [(value) => value === 'auto' || (Number.isInteger(value) && Number(value) >= 1), "'auto', or a count"]
}

/** What pools have and a fleet cannot. @type {Record<string, string>} */
const REFUSED = {
  transferList: 'nothing can be moved to another machine',
  counters: 'no memory is shared with another machine',
  params: 'the worker sets those of its native tasks',
  filename: 'a task is called by its name only, and workers say which they take',
  name: 'the task is the first argument'
}

/**
 * Own properties only; unknown names and values that are not allowed throw.
 * @template {object} T
 * @param {unknown} given
 * @param {Rules} rules
 * @param {string} label
 * @returns {T}
 */
function readOptions(given, rules, label) {
  const options = /** @type {Record<string, unknown>} */ (Object.create(null))
  if (given === undefined) return /** @type {T} */ (options)
  if (given === null || typeof given !== 'object')
    throw invalidArgument(`${label} must be an object, got ${show(given)}`)
  for (const [name, value] of Object.entries(given)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (rule === undefined) {
      const why = Object.hasOwn(REFUSED, name) ? REFUSED[name] : `it takes ${Object.keys(rules).join(', ')}`
      throw invalidArgument(`${label}: unknown option '${name}': ${why}`)
    }
    if (value === undefined) continue
    const [holds, is] = rule
    if (!holds(value)) throw invalidArgument(`${label}: '${name}' must be ${is}, got ${show(value)}`)
    options[name] = value
  }
  return /** @type {T} */ (options)
}

module.exports = { FLEET, WORK, WAITED, SENT, MAPPED, readOptions }
