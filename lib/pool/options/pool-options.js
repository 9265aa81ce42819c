'use strict'

// The options of a pool: what each must be, and its default.

const { SHARE_ENV } = require('node:worker_threads')
const { adviseOnPool, belong, elsewhere } = require('./advice')
const { bound } = require('../../native/environment')
const { invalidArgument } = require('../../errors')
const { plugins } = require('../plugins/load')
const steering = require('./steering-rules')
const { scriptUrl } = require('../task/targets')
const {
  readOptions,
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
  show,
  strings,
  text,
  transferables
} = require('./validate')

/** @typedef {import('../../../types/options').ResolvedPoolOptions} ResolvedOptions */
/** @typedef {import('../../../types/options').WorkerStart} WorkerStart */
/** @typedef {import('node:async_hooks').AsyncLocalStorage<unknown>} Store */
/**
 * @template T
 * @typedef {import('./validate').Rule<T>} Rule
 */

const MAX_THREADS = 1024

/** @type {Rule<NodeJS.Dict<string> | typeof SHARE_ENV>} */
function environment(value, label) {
  return value === SHARE_ENV ? SHARE_ENV : /** @type {NodeJS.Dict<string>} */ (object(value, label))
}

/** @type {Rule<number | 'auto'>} */
function maxQueue(value, label) {
  return value === 'auto' ? value : integer(0, 0xfffffffe, { infinity: true })(value, label)
}

/** The stores whose current values travel with the tasks. @type {Rule<Record<string, Store>>} */
function stores(value, label) {
  const found = /** @type {Record<string, Store>} */ (named(value, label))
  for (const [name, store] of Object.entries(found)) {
    if (typeof store?.getStore !== 'function' || typeof store.run !== 'function')
      throw invalidArgument(`${label} must be an object of AsyncLocalStorages, got ${show(store)} as '${name}'`)
  }
  return found
}

/** Where the output of workers goes. */
const output = oneOf('inherit', 'pipe', 'ignore')

/** The prefix of the lines of workers. False means none. @type {Rule<string | true | undefined>} */
function prefix(value, label) {
  if (value === false || value === '') return undefined
  if (value === true || typeof value === 'string') return value
  throw invalidArgument(`${label} must be a string or a boolean, got ${show(value)}`)
}

/** The export that `run` calls. @type {Rule<string>} */
function exportName(value, label) {
  if (typeof value === 'string' && value !== 'setup' && value !== 'teardown') return value
  throw invalidArgument(
    `${label} must be a string, the name of a task and not 'setup' or 'teardown', got ${show(value)}`
  )
}

/**
 * An option for other code of this package: whether the workers' environment stays as it is, without their numbers.
 */
const UNNUMBERED = Symbol('unnumbered')

/** The options that may differ from worker to worker. */
const WORKER_RULES = {
  workerData: anything,
  env: environment,
  argv: array,
  execArgv: strings,
  resourceLimits: object
}

const POOL_RULES = {
  filename: scriptUrl,
  name: exportName,
  label: text,
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
  ...WORKER_RULES,
  transferList: transferables,
  onWorkerStart: /** @type {Rule<(number: number) => WorkerStart | undefined>} */ (callable),
  trackUnmanagedFds: boolean,
  stdout: output,
  stderr: output,
  outputPrefix: prefix,
  outputFirst: boolean,
  timing: boolean,
  context: stores,
  startTimeout: limit,
  stallTimeout: limit,
  plugins,
  groups: steering.groups,
  recycle: steering.recycle,
  isolate: boolean,
  niceIncrement: integer(0, 19),
  pin: boolean
}

belong(Object.keys(POOL_RULES), (name) => `the pool: new Pool({ ${name}: … })`)

/** Options of other pools, and what this package has in their place. @type {Record<string, string>} */
const ADVICE = {
  threads: "'minThreads' and 'maxThreads'",
  workers: "'minThreads' and 'maxThreads'",
  maxWorkers: "'maxThreads'",
  minWorkers: "'minThreads'",
  file: "'filename'",
  script: "'filename'"
}

/**
 * Reads all options but the label, which must be unique among the living pools.
 * @param {unknown} given
 * @returns {Omit<ResolvedOptions, 'label'> & { label?: string }}
 */
function poolOptions(given) {
  const options = readOptions(given, POOL_RULES, 'Pool options', adviseOn, adviseOnPool)
  const { minThreads, maxThreads, maxQueue = Infinity } = options
  const most = maxThreads ?? Math.max(bound.cpuCount(), minThreads ?? 1)
  const least = minThreads ?? Math.min(1, most)
  if (least > most) {
    throw invalidArgument(
      `Pool options: 'minThreads' must not be above 'maxThreads' (${maxThreads}), got ${minThreads}`
    )
  }
  if (options.isolate && (options.concurrentTasksPerWorker ?? 1) > 1) {
    throw invalidArgument(
      `Pool options: 'concurrentTasksPerWorker' must be 1 with 'isolate', got ${options.concurrentTasksPerWorker}`
    )
  }
  if (options.isolate && options.recycle !== undefined) {
    throw invalidArgument(
      "Pool options: 'recycle' must not be given with 'isolate', which gives each task a new worker"
    )
  }
  return Object.assign(options, {
    minThreads: least,
    maxThreads: most,
    maxQueue: maxQueue === 'auto' ? most ** 2 : maxQueue,
    name: options.name ?? 'default',
    idleTimeout: options.idleTimeout ?? 60_000,
    concurrentTasksPerWorker: options.concurrentTasksPerWorker ?? 1,
    abortGrace: options.abortGrace ?? 100,
    startTimeout: options.startTimeout ?? 60_000,
    stallTimeout: options.stallTimeout ?? 30_000,
    outputFirst: options.outputFirst ?? true,
    [UNNUMBERED]: /** @type {{ [UNNUMBERED]?: boolean } | undefined} */ (given)?.[UNNUMBERED] === true
  })
}

/** @param {string} name */
function adviseOn(name) {
  const there = Object.hasOwn(ADVICE, name) ? ADVICE[name] : undefined
  return there === undefined ? elsewhere(name) : ` Use ${there}`
}

const SIZE_RULES = { minThreads: POOL_RULES.minThreads, maxThreads: POOL_RULES.maxThreads }

/**
 * The sizes that `resize` sets. A size that is not given stays.
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

/**
 * Checks the result of `onWorkerStart`.
 * @param {unknown} given
 * @returns {WorkerStart}
 */
function workerStart(given) {
  if (given instanceof Promise) throw invalidArgument('onWorkerStart must not be asynchronous, and gave a promise')
  return /** @type {WorkerStart} */ (readOptions(given ?? undefined, WORKER_RULES, 'What onWorkerStart gives'))
}

/** @param {unknown} given */
function closeOptions(given) {
  return readOptions(given, { force: boolean, timeout: duration }, 'Close options')
}

module.exports = { UNNUMBERED, poolOptions, sizeOptions, workerStart, closeOptions }
