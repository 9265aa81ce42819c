'use strict'

// The options of each way to call: what each must be, and its default.

const { isSignal } = require('../task/abort')
const { adviseOnOptions, belong, elsewhere } = require('./advice')
const { readCounters } = require('../../counters')
const { invalidArgument } = require('../../errors')
const steering = require('./steering-rules')
const { scriptUrl } = require('../task/targets')
const {
  readOptions,
  boolean,
  callable,
  integer,
  limit,
  named,
  object,
  show,
  string,
  transferables
} = require('./validate')

/** @typedef {import('../../../types/tasks').Signal} Signal */
/**
 * @template T
 * @typedef {import('./validate').Rule<T>} Rule
 */

const PRIORITY = integer(-20, 19)
const RETRIES = integer(0, 255)

/** A moment: a Date, or milliseconds since the epoch. @type {Rule<number>} */
function deadline(value, label) {
  const time = value instanceof Date ? value.getTime() : value
  if (typeof time === 'number' && !Number.isNaN(time)) return time
  throw invalidArgument(`${label} must be a Date or a number of milliseconds since the epoch, got ${show(value)}`)
}

/** @type {Rule<Signal>} */
function signal(value, label) {
  if (isSignal(value)) return value
  throw invalidArgument(`${label} must be an AbortSignal or an EventEmitter, got ${show(value)}`)
}

/** The options of every way to call. */
const SHARED_RULES = {
  signal,
  timeout: limit,
  queueTimeout: limit,
  deadline,
  priority: PRIORITY,
  group: steering.group
}
const COMMON_RULES = { ...SHARED_RULES, retries: RETRIES, transferList: transferables }
const SCRIPT_RULES = { ...COMMON_RULES, affinity: steering.affinity, onProgress: callable, context: named }
/** @type {Rule<'auto' | false>} */
function parallel(value, label) {
  if (value === 'auto' || value === false) return value
  throw invalidArgument(`${label} must be 'auto' or false, got ${show(value)}`)
}

const NATIVE_RULES = { ...COMMON_RULES, params: object, counters: readCounters, parallel, onProgress: callable }
const RUN_RULES = { ...SCRIPT_RULES, name: string, filename: scriptUrl }
belong(['params', 'counters', 'parallel'], (name) => `native tasks: runTask('hash.sha256', input, { ${name}: … })`)
belong(Object.keys(SCRIPT_RULES), (name) => `a call: pool.run(input, { ${name}: … })`)

/**
 * The options of `run`, which also say what to run.
 * @param {unknown} given
 */
function runOptions(given) {
  return readOptions(given, RUN_RULES, 'Task options', elsewhere, adviseOnOptions)
}

/** @type {Rule<number | 'auto'>} */
function chunk(value, label) {
  if (value === 'auto' || (typeof value === 'number' && Number.isInteger(value) && value > 0)) return value
  throw invalidArgument(`${label} must be 'auto' or an integer above 0, got ${show(value)}`)
}

const MAP_RULES = {
  concurrency: integer(1, 1_000_000),
  ordered: boolean,
  chunk,
  stopOnError: boolean,
  onProgress: callable,
  ...SHARED_RULES,
  retries: RETRIES,
  context: named,
  params: object,
  counters: readCounters,
  parallel
}

/** @param {unknown} given */
function mapOptions(given) {
  const options = readOptions(given, MAP_RULES, 'Map options')
  return Object.assign(options, {
    ordered: options.ordered ?? true,
    chunk: options.chunk ?? /** @type {const} */ ('auto'),
    stopOnError: options.stopOnError ?? true
  })
}

const { retries: _, ...CHANNEL_RULES } = SCRIPT_RULES

/** @param {unknown} given */
function channelOptions(given) {
  return readOptions(given, CHANNEL_RULES, 'Channel options')
}

const STREAM_RULES = {
  highWaterMark: integer(1, 1_000_000),
  ...SHARED_RULES,
  affinity: steering.affinity,
  transferList: transferables,
  onProgress: callable,
  context: named
}

const NATIVE_STREAM_RULES = {
  highWaterMark: STREAM_RULES.highWaterMark,
  ...SHARED_RULES,
  transferList: transferables,
  params: object,
  counters: readCounters,
  parallel,
  onProgress: callable
}

/**
 * @param {unknown} given
 * @param {boolean} native
 */
function streamOptions(given, native) {
  /** @type {import('./validate').ReadBy<typeof STREAM_RULES & typeof NATIVE_STREAM_RULES>} */
  const options = native
    ? readOptions(given, NATIVE_STREAM_RULES, 'Options of a native stream', adviseOnParam)
    : readOptions(given, STREAM_RULES, 'Stream options')
  // The chunks of a native task tend to be large.
  return Object.assign(options, { highWaterMark: options.highWaterMark ?? (native ? 16 : 1024) })
}

const BROADCAST_RULES = { ...SHARED_RULES, onProgress: callable }

/** @param {unknown} given */
function broadcastOptions(given) {
  return readOptions(given, BROADCAST_RULES, 'Broadcast options')
}

/** Params of native tasks that are often given beside `params` by mistake. */
const PARAMS = new Set(['encoding', 'level', 'seed', 'value', 'maxOutput', 'descending', 'method'])

/** @param {string} name */
function adviseOnParam(name) {
  return PARAMS.has(name) ? ` It is a param of the task: { params: { ${name}: … } }` : elsewhere(name)
}

/**
 * The options of a task, however it is called.
 * @typedef {import('./validate').ReadBy<Omit<typeof SCRIPT_RULES & typeof NATIVE_RULES, never>>} TaskOptions
 */

/**
 * The options of a task whose name is a separate argument.
 * @param {unknown} given
 * @param {boolean} native
 * @returns {TaskOptions}
 */
function taskOptions(given, native) {
  return native
    ? readOptions(given, NATIVE_RULES, 'Options of a native task', adviseOnParam, adviseOnOptions)
    : readOptions(given, SCRIPT_RULES, 'Options of a script task', elsewhere, adviseOnOptions)
}

/**
 * A time limit as the scheduler takes it: whole milliseconds, -1 for none.
 * @param {number | undefined} ms
 */
function toLimit(ms) {
  return ms === undefined || ms > 0x7fffffff ? -1 : Math.ceil(ms)
}

module.exports = {
  runOptions,
  taskOptions,
  mapOptions,
  streamOptions,
  channelOptions,
  broadcastOptions,
  toLimit
}
