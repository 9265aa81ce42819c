'use strict'

// The options of `cluster.run`: their rules and defaults.

const { availableParallelism } = require('../native/load')
const { invalidArgument } = require('../errors')
const { readOptions, integer, duration, oneOf, strings, typed, show } = require('../pool/options/validate')
const { maps } = require('../shared-map/options')

/**
 * @template T
 * @typedef {import('../pool/options/validate').Rule<T>} Rule
 */

const MAX_PROCESSES = 1024
const MAX_SPARES = 64

/**
 * @template {Record<string, Rule<unknown>>} Rules
 * @template {{ [K in keyof Rules]: ReturnType<Rules[K]> | undefined }} Defaults
 * @param {Rules} rules
 * @param {Defaults} defaults
 * @returns {Rule<Defaults>}
 */
function group(rules, defaults) {
  return (value, label) => ({ ...defaults, ...readOptions(value, rules, label) })
}

function processes(/** @type {unknown} */ value, /** @type {string} */ label) {
  if (value === 'auto') return availableParallelism()
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_PROCESSES) return value
  throw invalidArgument(`${label} must be 'auto' or an integer from 0 to ${MAX_PROCESSES}, got ${show(value)}`)
}

function names(/** @type {unknown} */ value, /** @type {string} */ label) {
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string' && name !== '')) {
    throw invalidArgument(`${label} must be an array of names, got ${show(value)}`)
  }
  const twice = value.find((name, at) => value.indexOf(name) !== at)
  if (twice !== undefined) throw invalidArgument(`${label} has the name ${show(twice)} twice`)
  return [...value]
}

function histograms(/** @type {unknown} */ value, /** @type {string} */ label) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw invalidArgument(`${label} must be an object of { name: [upper bounds] }, got ${show(value)}`)
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, bounds]) => {
      const rising =
        Array.isArray(bounds) &&
        bounds.length > 0 &&
        bounds.length <= 256 &&
        bounds.every((bound, at) => Number.isFinite(bound) && (at === 0 || bound > bounds[at - 1]))
      if (!rising)
        throw invalidArgument(`${label}: the bounds of '${name}' must be 1 to 256 rising numbers, got ${show(bounds)}`)
      return [name, [...bounds]]
    })
  )
}

/** @type {Rule<Environment|((slot: number) => Environment)>} */
function environment(value, label) {
  if (typeof value === 'function' || (value !== null && typeof value === 'object' && !Array.isArray(value)))
    return /** @type {Environment|((slot: number) => Environment)} */ (value)
  throw invalidArgument(`${label} must be an object, or a function of the slot that gives one, got ${show(value)}`)
}

function memory(/** @type {unknown} */ value, /** @type {string} */ label) {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value
  if (typeof value === 'string' && /^\d+(\.\d+)?%$/.test(value) && parseFloat(value) > 0 && parseFloat(value) <= 100)
    return value
  throw invalidArgument(
    `${label} must be a number of bytes or a share of the group's limit as '80%', got ${show(value)}`
  )
}

function admin(/** @type {unknown} */ value, /** @type {string} */ label) {
  if (typeof value === 'boolean' || (typeof value === 'string' && value !== '')) return value
  throw invalidArgument(`${label} must be true, false or the path of a socket, got ${show(value)}`)
}

function log(/** @type {unknown} */ value, /** @type {string} */ label) {
  if (value === false || typeof value === 'function') return value
  throw invalidArgument(`${label} must be false or a function of a line, got ${show(value)}`)
}

/** @type {Rule<import('./sticky/reading').Sticky>} */
function sticky(value, label) {
  if (value === 'socket.io') return value
  if (typeof value === 'function') return /** @type {import('./sticky/reading').Sticky & Function} */ (value)
  const own = value !== null && typeof value === 'object' ? Object.entries(value) : []
  const [name, text] = own[0] ?? []
  if (own.length === 1 && typeof text === 'string' && text !== '') {
    if (name === 'cookie') return { cookie: text }
    if (name === 'query') return { query: text }
  }
  throw invalidArgument(
    `${label} must be 'socket.io', { cookie: name }, { query: name } or a function of a request's head, got ${show(value)}`
  )
}

/** The size of the ring is a power of two, and at most this. */
const MAX_PUBLISH_BYTES = 128 * 2 ** 20
const MIN_PUBLISH_BYTES = 4096

function publishBytes(/** @type {unknown} */ value, /** @type {string} */ label) {
  const inside = typeof value === 'number' && value >= MIN_PUBLISH_BYTES && value <= MAX_PUBLISH_BYTES
  if (value === 0 || (inside && Number.isInteger(value))) return value
  throw invalidArgument(
    `${label} must be a whole number from ${MIN_PUBLISH_BYTES} to ${MAX_PUBLISH_BYTES}, or 0, got ${show(value)}`
  )
}

/** @type {import('../pool/options/validate').Rule<Record<string, import('./keys').LimitSpec>>} */
function limits(value, label) {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw invalidArgument(`${label} must be an object of { name: { points, per, burst } }, got ${show(value)}`)
  const entries = Object.entries(value).map(([name, given]) => {
    const what = `${label}.${name}`
    const { points, per, burst = points } = readOptions(given, { points: POINTS, per: period, burst: POINTS }, what)
    if (points === undefined || per === undefined || burst === undefined)
      throw invalidArgument(`${what} needs 'points' and 'per', got ${show(given)}`)
    return [name, { points, per, burst }]
  })
  return Object.fromEntries(entries)
}

const POINTS = integer(1, 1e9)

/** @type {import('../pool/options/validate').Rule<number>} */
function period(value, label) {
  if (typeof value === 'number' && value > 0 && value <= MAX_PERIOD) return value
  throw invalidArgument(`${label} must be a number of milliseconds above 0, at most ${MAX_PERIOD}, got ${show(value)}`)
}

/** A year. */
const MAX_PERIOD = 31_536_000_000
/** The keys of `once` and of limits lie in reserved memory, so their number is limited. */
const KEYS = integer(0, 2 ** 24)

const BACKOFF = { initial: 100, max: 15_000, factor: 2, jitter: 0.2, stableAfter: 10_000 }
const RECYCLE = { requests: Infinity, age: Infinity, jitter: 0.1 }
/** @type {ClusterOptions['crashLoop']} */
const CRASH_LOOP = { restarts: undefined, window: 60_000, action: 'exit' }

function share(/** @type {unknown} */ value, /** @type {string} */ label) {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value
  throw invalidArgument(`${label} must be a number from 0 to 1, got ${show(value)}`)
}

function factor(/** @type {unknown} */ value, /** @type {string} */ label) {
  if (typeof value === 'number' && value >= 1 && value <= 100) return value
  throw invalidArgument(`${label} must be a number from 1 to 100, got ${show(value)}`)
}

const count = integer(1, Number.MAX_SAFE_INTEGER, { infinity: true })

/** The options with which a process is started. `reload` may change them. */
const SPEC_RULES = { env: environment, args: strings, execArgv: strings, cwd: typed('string') }

const RULES = {
  ...SPEC_RULES,
  processes,
  maxProcesses: integer(1, MAX_PROCESSES),
  spare: integer(0, MAX_SPARES),
  policy: oneOf('rr', 'none'),
  serialization: oneOf('advanced', 'json'),
  counters: names,
  gauges: names,
  histograms,
  grace: duration,
  lameDuckDelay: duration,
  drainIdle: duration,
  orphanGrace: duration,
  readyTimeout: duration,
  bootAttempts: integer(1, 1000),
  backoff: group({ initial: duration, max: duration, factor, jitter: share, stableAfter: duration }, BACKOFF),
  crashLoop: group({ restarts: count, window: duration, action: oneOf('exit', 'hold') }, CRASH_LOOP),
  stallTimeout: duration,
  stallStack: typed('boolean'),
  memoryLimit: memory,
  recycle: group({ requests: count, age: duration, jitter: share }, RECYCLE),
  budget: typed('boolean'),
  signals: typed('boolean'),
  exit: typed('boolean'),
  metricsPort: integer(0, 65535),
  metricsHost: typed('string'),
  publishBytes,
  sticky,
  limits,
  maps,
  limitKeys: KEYS,
  onceKeys: KEYS,
  maxQueuedBytes: integer(1, Number.MAX_SAFE_INTEGER, { infinity: true }),
  output: oneOf('inherit', 'prefix', 'json'),
  requestUrls: /** @type {Rule<'path' | 'full' | false>} */ (
    oneOf(.../** @type {(string | boolean)[]} */ (['path', 'full', false]))
  ),
  admin,
  log
}

/**
 * All options, with the defaults filled in.
 * @typedef {Record<string, string|undefined>} Environment
 * @typedef {object} ClusterOptions
 * @property {number} processes
 * @property {number} maxProcesses
 * @property {number} spare
 * @property {'rr'|'none'} policy
 * @property {'advanced'|'json'} serialization
 * @property {string[]} counters
 * @property {string[]} gauges
 * @property {Record<string, number[]>} histograms
 * @property {number} grace
 * @property {number} lameDuckDelay
 * @property {number} drainIdle
 * @property {number} orphanGrace
 * @property {number} readyTimeout
 * @property {number} bootAttempts
 * @property {{ initial: number, max: number, factor: number, jitter: number, stableAfter: number }} backoff
 * @property {{ restarts: number|undefined, window: number, action: 'exit'|'hold' }} crashLoop
 * @property {number} stallTimeout
 * @property {boolean} stallStack
 * @property {number|string} [memoryLimit]
 * @property {{ requests: number, age: number, jitter: number }} recycle
 * @property {boolean} budget
 * @property {boolean} signals
 * @property {boolean} exit
 * @property {boolean|string} [admin]
 * @property {number} [metricsPort]
 * @property {string} metricsHost
 * @property {'path'|'full'|false} requestUrls
 * @property {number} maxQueuedBytes
 * @property {number} publishBytes
 * @property {import('./sticky/reading').Sticky} [sticky]
 * @property {Record<string, import('./keys').LimitSpec>} limits
 * @property {Record<string, import('../shared-map/options').MapSpec>} maps
 * @property {number} limitKeys
 * @property {number} onceKeys
 * @property {'inherit'|'prefix'|'json'} output
 * @property {false|((line: string) => unknown)} [log]
 * @property {Environment|((slot: number) => Environment)} [env]
 * @property {string[]} [args]
 * @property {string[]} [execArgv]
 * @property {string} [cwd]
 */

/**
 * @param {unknown} given
 * @returns {ClusterOptions}
 */
function readClusterOptions(given) {
  /** @type {any} */
  const options = {
    processes: 'auto',
    policy: 'rr',
    serialization: 'advanced',
    counters: [],
    gauges: [],
    histograms: {},
    spare: 0,
    grace: 10_000,
    lameDuckDelay: 0,
    drainIdle: 5000,
    orphanGrace: 1500,
    readyTimeout: 30_000,
    bootAttempts: 3,
    backoff: BACKOFF,
    crashLoop: CRASH_LOOP,
    stallTimeout: 30_000,
    stallStack: true,
    recycle: RECYCLE,
    budget: true,
    signals: true,
    metricsHost: '127.0.0.1',
    maxQueuedBytes: 64 * 2 ** 20,
    publishBytes: 4 * 2 ** 20,
    limits: {},
    maps: {},
    limitKeys: 65_536,
    onceKeys: 16_384,
    output: 'inherit',
    requestUrls: 'path',
    exit: true,
    ...readOptions(given, RULES, 'cluster options')
  }
  if (options.processes === 'auto') options.processes = availableParallelism()
  options.maxProcesses ??= Math.max(64, options.processes)
  if (options.maxProcesses < options.processes) {
    throw invalidArgument(
      `cluster options: 'maxProcesses' is ${options.maxProcesses}, which is less than 'processes', ${options.processes}`
    )
  }
  const all = [...options.counters, ...options.gauges, ...Object.keys(options.histograms)]
  const twice = all.find((name, at) => all.indexOf(name) !== at)
  if (twice !== undefined) throw invalidArgument(`cluster options: the name '${twice}' is used for two kinds`)
  return options
}

module.exports = { readClusterOptions, SPEC_RULES, environment }
