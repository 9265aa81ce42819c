'use strict'

// The options of a pool and of a task: what each must be, and its default.

const { bound } = require('../../native/environment')
const { isSignal } = require('../task/abort')
const { readCounters } = require('../../counters')
const { invalidArgument } = require('../../errors')
const { readOptions, integer, typed, duration, arrayOf, any, show } = require('./validate')
const steering = require('./steering-rules')
const { scriptUrl } = require('../task/targets')

const MAX_THREADS = 1024

/** A time limit: more than 0; Infinity is none. */
function limit(/** @type {unknown} */ value, /** @type {string} */ label) {
  if (typeof value === 'number' && value > 0) return value
  throw invalidArgument(`${label} must be a number of milliseconds above 0, or Infinity, got ${show(value)}`)
}

function environment(/** @type {any} */ value, /** @type {string} */ label) {
  if (value === require('node:worker_threads').SHARE_ENV) return value
  return typed('object')(value, label)
}

function maxQueue(/** @type {unknown} */ value, /** @type {string} */ label) {
  if (value === 'auto') return value
  return integer(0, 0xfffffffe, { infinity: true })(value, label)
}

/** Stores of which the current values travel with the tasks. */
function stores(/** @type {any} */ value, /** @type {string} */ label) {
  const found = named(value, label)
  for (const [name, store] of Object.entries(found)) {
    if (typeof store?.getStore !== 'function' || typeof store.run !== 'function')
      throw invalidArgument(`${label} must be an object of AsyncLocalStorages, got ${show(store)} as '${name}'`)
  }
  return found
}

/** Own properties, in an object of ours. */
function named(/** @type {any} */ value, /** @type {string} */ label) {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw invalidArgument(`${label} must be an object, got ${show(value)}`)
  return Object.assign(Object.create(null), value)
}

/** What becomes of the output of workers. */
function output(/** @type {any} */ value, /** @type {string} */ label) {
  if (value === 'inherit' || value === 'pipe' || value === 'ignore') return value
  throw invalidArgument(`${label} must be 'inherit', 'pipe' or 'ignore', got ${show(value)}`)
}

/** What lines of workers begin with: false is as if it was not given. */
function prefix(/** @type {unknown} */ value, /** @type {string} */ label) {
  if (value === false || value === '') return undefined
  if (value === true || typeof value === 'string') return value
  throw invalidArgument(`${label} must be a string or a boolean, got ${show(value)}`)
}

const strings = arrayOf((each) => typeof each === 'string', 'strings')

/** The export that `run` calls. */
function poolName(/** @type {unknown} */ value, /** @type {string} */ label) {
  if (typeof value === 'string' && value !== 'setup' && value !== 'teardown') return value
  throw invalidArgument(
    `${label} must be a string, the name of a task and not 'setup' or 'teardown', got ${show(value)}`
  )
}

/** @type {Record<string, (value: any, label: string) => any>} */
const POOL_RULES = {
  filename: scriptUrl,
  name: poolName,
  minThreads: integer(0, MAX_THREADS),
  maxThreads: integer(1, MAX_THREADS),
  idleTimeout: duration,
  maxQueue,
  maxInputSize: integer(1, Number.MAX_SAFE_INTEGER, { infinity: true }),
  concurrentTasksPerWorker: integer(1, 65_536),
  timeout: limit,
  queueTimeout: limit,
  retries: integer(0, 255),
  abortGrace: duration,
  workerData: any,
  transferList: arrayOf(),
  env: environment,
  argv: arrayOf(),
  execArgv: strings,
  resourceLimits: typed('object'),
  trackUnmanagedFds: typed('boolean'),
  stdout: output,
  stderr: output,
  outputPrefix: prefix,
  timing: typed('boolean'),
  context: stores,
  startTimeout: limit,
  groups: steering.groups,
  recycle: steering.recycle,
  isolate: typed('boolean'),
  niceIncrement: integer(0, 19),
  pin: typed('boolean')
}

/**
 * @param {unknown} given
 */
function poolOptions(given) {
  const options = readOptions(given, POOL_RULES, 'Pool options')
  const { minThreads, maxThreads } = options
  options.maxThreads ??= Math.max(bound.cpuCount(), minThreads ?? 1)
  options.minThreads ??= Math.min(1, options.maxThreads)
  if (options.minThreads > options.maxThreads) {
    throw invalidArgument(
      `Pool options: 'minThreads' must not be above 'maxThreads' (${maxThreads}), got ${minThreads}`
    )
  }
  if (options.isolate && options.concurrentTasksPerWorker > 1) {
    throw invalidArgument(
      `Pool options: 'concurrentTasksPerWorker' must be 1 with 'isolate', got ${options.concurrentTasksPerWorker}`
    )
  }
  if (options.isolate && options.recycle !== undefined) {
    throw invalidArgument(
      "Pool options: 'recycle' must not be given with 'isolate', which gives each task a new worker"
    )
  }
  options.name ??= 'default'
  options.idleTimeout ??= 60_000
  options.concurrentTasksPerWorker ??= 1
  options.maxQueue ??= Infinity
  if (options.maxQueue === 'auto') options.maxQueue = options.maxThreads ** 2
  options.abortGrace ??= 100
  options.startTimeout ??= 60_000
  return options
}

const PRIORITY = integer(-20, 19)
const RETRIES = integer(0, 255)

/** A moment: a Date, or milliseconds since the epoch. */
function deadline(/** @type {unknown} */ value, /** @type {string} */ label) {
  const time = value instanceof Date ? value.getTime() : value
  if (typeof time === 'number' && !Number.isNaN(time)) return time
  throw invalidArgument(`${label} must be a Date or a number of milliseconds since the epoch, got ${show(value)}`)
}

const SIZE_RULES = { minThreads: integer(0, MAX_THREADS), maxThreads: integer(1, MAX_THREADS) }

/**
 * The sizes that `resize` is to set; what is not given stays.
 * @param {unknown} given
 * @param {{ minThreads: number, maxThreads: number }} now
 * @returns {{ minThreads: number, maxThreads: number }}
 */
function sizeOptions(given, now) {
  const { minThreads = now.minThreads, maxThreads = now.maxThreads } = readOptions(given, SIZE_RULES, 'resize options')
  if (minThreads > maxThreads) {
    throw invalidArgument(
      `resize options: 'minThreads' must not be above 'maxThreads' (${maxThreads}), got ${minThreads}`
    )
  }
  return { minThreads, maxThreads }
}

function signal(/** @type {unknown} */ value, /** @type {string} */ label) {
  if (isSignal(value)) return value
  throw invalidArgument(`${label} must be an AbortSignal or an EventEmitter, got ${show(value)}`)
}

/** What every way to call takes. */
const SHARED_RULES = {
  signal,
  timeout: limit,
  queueTimeout: limit,
  deadline,
  priority: PRIORITY,
  group: steering.group
}
const COMMON_RULES = { ...SHARED_RULES, retries: RETRIES, transferList: arrayOf() }
const SCRIPT_RULES = {
  ...COMMON_RULES,
  affinity: steering.affinity,
  onProgress: typed('function'),
  context: named
}
const NATIVE_RULES = { ...COMMON_RULES, params: typed('object'), counters: readCounters }
const RUN_RULES = { ...SCRIPT_RULES, name: typed('string'), filename: scriptUrl }

/**
 * The options of `run`, which also say what to run.
 * @param {unknown} given
 */
function runOptions(given) {
  return readOptions(given, RUN_RULES, 'Task options')
}

function chunk(/** @type {unknown} */ value, /** @type {string} */ label) {
  if (value === 'auto' || (Number.isInteger(value) && /** @type {number} */ (value) > 0)) return value
  throw invalidArgument(`${label} must be 'auto' or an integer above 0, got ${show(value)}`)
}

/** @type {Record<string, (value: any, label: string) => any>} */
const MAP_RULES = {
  concurrency: integer(1, 1_000_000),
  ordered: typed('boolean'),
  chunk,
  stopOnError: typed('boolean'),
  onProgress: typed('function'),
  ...SHARED_RULES,
  retries: RETRIES,
  context: named,
  group: steering.group,
  params: typed('object'),
  counters: readCounters
}

/**
 * @param {unknown} given
 */
function mapOptions(given) {
  const options = readOptions(given, MAP_RULES, 'Map options')
  options.ordered ??= true
  options.chunk ??= 'auto'
  options.stopOnError ??= true
  return options
}

const { retries: _, ...CHANNEL_RULES } = SCRIPT_RULES

/**
 * @param {unknown} given
 */
function channelOptions(given) {
  return readOptions(given, CHANNEL_RULES, 'Channel options')
}

/** @type {Record<string, (value: any, label: string) => any>} */
const STREAM_RULES = {
  highWaterMark: integer(1, 1_000_000),
  ...SHARED_RULES,
  affinity: steering.affinity,
  transferList: arrayOf(),
  onProgress: typed('function'),
  context: named
}

/**
 * @param {unknown} given
 */
function streamOptions(given) {
  const options = readOptions(given, STREAM_RULES, 'Stream options')
  options.highWaterMark ??= 1024
  return options
}

/** @type {Record<string, (value: any, label: string) => any>} */
const BROADCAST_RULES = {
  signal,
  timeout: limit,
  queueTimeout: limit,
  deadline,
  priority: PRIORITY,
  group: steering.group,
  onProgress: typed('function')
}

/**
 * @param {unknown} given
 */
function broadcastOptions(given) {
  return readOptions(given, BROADCAST_RULES, 'Broadcast options')
}

/**
 * The options of a task that is named apart from them.
 * @param {unknown} given
 * @param {boolean} native
 */
function taskOptions(given, native) {
  return native
    ? readOptions(given, NATIVE_RULES, 'Options of a native task')
    : readOptions(given, SCRIPT_RULES, 'Options of a script task')
}

/**
 * @param {unknown} given
 */
function closeOptions(given) {
  return readOptions(given, { force: typed('boolean'), timeout: duration }, 'Close options')
}

/**
 * A time limit as the scheduler takes it: whole milliseconds, -1 for none.
 * @param {number | undefined} ms
 */
function toLimit(ms) {
  return ms === undefined || ms > 0x7fffffff ? -1 : Math.ceil(ms)
}

module.exports = {
  poolOptions,
  runOptions,
  taskOptions,
  mapOptions,
  streamOptions,
  channelOptions,
  broadcastOptions,
  sizeOptions,
  closeOptions,
  toLimit
}
