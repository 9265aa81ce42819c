'use strict'

// The options of a piscina: what each must be, with the messages that its users know, and the defaults.

const { availableParallelism } = require('node:os')
const { UNNUMBERED } = require('../pool/options')
const { cloneByEngine } = require('../native/primordials')
const { FixedQueue, isTaskQueue } = require('./queues')

/** @typedef {import('./types').Options} Options */
/** The options that a user may give. @typedef {import('../../piscina').Options} Given */

/** @param {unknown} value */
const isNumber = (value) => typeof value === 'number'
/** @param {unknown} value */
const isBoolean = (value) => typeof value === 'boolean'
/** @param {number} min */
const atLeast = (min) => (/** @type {unknown} */ value) => typeof value === 'number' && value >= min
/** @param {unknown} value */
const isText = (value) => value === null || typeof value === 'string'

/** @type {Record<string, [(value: unknown) => boolean, string]>} */
const RULES = {
  filename: [isText, 'must be a string or null'],
  name: [isText, 'must be a string or null'],
  minThreads: [atLeast(0), 'must be a non-negative integer'],
  maxThreads: [atLeast(1), 'must be a positive integer'],
  idleTimeout: [atLeast(0), 'must be a non-negative integer'],
  maxQueue: [(value) => value === 'auto' || atLeast(0)(value), 'must be a non-negative integer'],
  concurrentTasksPerWorker: [atLeast(1), 'must be a positive integer'],
  atomics: [
    (value) => value === null || ['sync', 'async', 'disabled'].some((each) => each === value),
    'should be a value of sync, sync or disabled.'
  ],
  resourceLimits: [(value) => typeof value === 'object' && value !== null, 'must be an object'],
  taskQueue: [isTaskQueue, 'must be a TaskQueue object'],
  niceIncrement: [
    process.platform === 'win32' ? isNumber : atLeast(0),
    'must be a non-negative integer on Unix systems'
  ],
  trackUnmanagedFds: [isBoolean, 'must be a boolean value'],
  closeTimeout: [atLeast(0), 'must be a non-negative integer'],
  recordTiming: [isBoolean, 'must be a boolean'],
  loadBalancer: [
    (value) => typeof value === 'function' && value.length > 0,
    'must be a function with at least two args'
  ],
  workerHistogram: [isBoolean, 'must be a boolean'],
  stricterFIFO: [isBoolean, 'must be a boolean']
}

/** The options that the pool takes as they are. */
const PASSED = /** @type {const} */ (['argv', 'env', 'execArgv', 'resourceLimits', 'workerData', 'trackUnmanagedFds'])

/**
 * @param {Given} given
 * @returns {Options} without a prototype
 */
function fillOptions(given) {
  const own = present(given)
  for (const [name, [allows, must]] of Object.entries(RULES)) {
    const value = /** @type {Record<string, unknown>} */ (own)[name]
    if (value !== undefined && !allows(value)) throw new TypeError(`options.${name} ${must}`)
  }
  if ((own.minThreads ?? 0) > (own.maxThreads ?? Infinity)) {
    throw new RangeError('options.minThreads and options.maxThreads must not conflict')
  }
  // A value that cannot be cloned is refused now, since the workers that need it start later.
  if (own.workerData !== undefined) cloneByEngine(own.workerData)
  const cpus = availableParallelism()
  const minThreads = own.minThreads ?? Math.max(Math.floor(cpus / 2), 1)
  const maxThreads = own.maxThreads ?? cpus * 1.5
  const options = Object.assign(Object.create(null), {
    idleTimeout: 0,
    concurrentTasksPerWorker: 1,
    atomics: 'sync',
    niceIncrement: 0,
    trackUnmanagedFds: true,
    closeTimeout: 30_000,
    recordTiming: true,
    stricterFIFO: false,
    workerHistogram: false,
    ...own,
    filename: own.filename ?? null,
    name: own.name ?? 'default',
    minThreads: own.maxThreads === undefined ? minThreads : Math.min(minThreads, maxThreads),
    maxThreads: own.minThreads === undefined ? maxThreads : Math.max(minThreads, maxThreads)
  })
  options.taskQueue ??= new FixedQueue()
  options.maxQueue = own.maxQueue === 'auto' ? options.maxThreads ** 2 : (own.maxQueue ?? Infinity)
  return options
}

/**
 * The own properties that are not undefined, in an object without a prototype.
 * @template {object} T
 * @param {T} object
 * @returns {T}
 */
function present(object) {
  const own = Object.create(null)
  for (const [name, value] of Object.entries(object)) if (value !== undefined) own[name] = value
  return own
}

/**
 * The options of the pool under a piscina.
 * @param {Options} options
 * @returns {import('../../types/options').PoolOptions & { concurrentTasksPerWorker: number }}
 */
function poolOptions(options) {
  const passed = Object.create(null)
  for (const name of PASSED) if (options[name] !== undefined) passed[name] = options[name]
  // The system has no higher niceness than this.
  if (options.niceIncrement > 0) passed.niceIncrement = Math.min(Math.ceil(options.niceIncrement), 19)
  if (options.filename !== null) passed.filename = options.filename
  passed.name = options.name
  // A worker has the environment of a piscina's worker, and no more.
  passed[UNNUMBERED] = true
  passed.concurrentTasksPerWorker = Math.ceil(options.concurrentTasksPerWorker)
  // A worker is ended as soon as the task that it runs is aborted.
  passed.abortGrace = 0
  return passed
}

module.exports = { fillOptions, poolOptions }
