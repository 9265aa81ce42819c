'use strict'

// A BullMQ processor that runs jobs in a pool. A job decides only which function of an allow-list is called, and with
// which input. Options are copied by name, so no job can name a file.

const { AbortError, invalidArgument } = require('../errors')
const { show } = require('../pool/options/validate')
const { UnrecoverableError, WaitingError, GIVE_BACK } = require('./special')
const { Progress } = require('./progress')
const { Quarantine } = require('./quarantine')
const { quiet } = require('./quiet')
const { runSandboxed } = require('./sandbox')

/**
 * @typedef {import('./types').Job} Job
 * @typedef {import('./types').Pool} Pool
 * @typedef {import('./types').Call} Call
 */

/** The options that `map` may set for a call. Any other option is ignored. */
const OPTIONS = /** @type {const} */ ([
  'timeout',
  'queueTimeout',
  'deadline',
  'priority',
  'group',
  'affinity',
  'params',
  'context'
])

/** Codes of errors for which another attempt would not help. */
const HOPELESS = new Set([
  'ERR_RSPOOL_UNKNOWN_TASK',
  'ERR_RSPOOL_INVALID_ARGUMENT',
  'ERR_RSPOOL_DEADLINE',
  'ERR_RSPOOL_INPUT_TOO_LARGE'
])

/**
 * @typedef {object} ProcessorOptions
 * @property {readonly string[]} [tasks] the job names that the processor accepts
 * @property {(job: Job) => Call | Promise<Call>} [map] gives the call for a job
 * @property {boolean} [sandbox] whether the script is a BullMQ sandbox file, which takes a job
 * @property {'redelivered' | 'always' | false} [quarantine] which jobs run in a process of their own
 * @property {number} [maxTimeout] the longest that a task may run, in milliseconds
 */

/**
 * @param {Pool} pool
 * @param {ProcessorOptions} [given]
 */
function createProcessor(pool, given = {}) {
  const options = read(given)
  const quarantine = options.quarantine === false ? undefined : new Quarantine(pool)
  /**
   * @param {Job} job
   * @param {string | undefined} token
   * @param {AbortSignal | undefined} signal
   */
  return async function processor(job, token, signal) {
    const progress = new Progress(job)
    try {
      const call = await callOf(options, job)
      const settings = { ...call.options, signal, onProgress: progress.report }
      const result = await (options.sandbox
        ? runSandboxed(pool, job, settings)
        : quarantine !== undefined && (options.quarantine === 'always' || (job.stalledCounter ?? 0) > 0)
          ? quarantine.run(call, settings)
          : runIn(pool, call, settings))
      await progress.reported
      return result
    } catch (error) {
      const reason = signal?.aborted ? signal.reason : undefined
      if (reason === GIVE_BACK && isAbort(error)) {
        await quiet(pool)
        await job.moveToWait(token)
        throw new WaitingError('The worker ended before the job did')
      }
      if (reason !== undefined && isAbort(error)) throw new Error(String(reason), { cause: error })
      if (error instanceof Error && HOPELESS.has(/** @type {{ code?: string }} */ (error).code ?? ''))
        throw new UnrecoverableError(error)
      throw error
    }
  }
}

/** @param {unknown} error */
function isAbort(error) {
  return error instanceof AbortError
}

/**
 * @param {Pool} pool
 * @param {Call} call
 * @param {Record<string, unknown>} settings
 */
function runIn(pool, { task, input }, settings) {
  if (!task.includes('.')) return pool.run(input, { ...settings, name: task })
  // A native task does not take these three options.
  const { onProgress, affinity, context, ...native } = settings
  return pool.runTask(task, input, native)
}

/**
 * @param {ReturnType<typeof read>} options
 * @param {Job} job
 * @returns {Promise<Call & { options: Record<string, unknown> }>}
 */
async function callOf({ tasks, map, sandbox, maxTimeout }, job) {
  if (sandbox) return { task: 'default', input: undefined, options: limited({}, maxTimeout) }
  const { task, input, options = {} } = map === undefined ? { task: job.name, input: job.data } : await map(job)
  if (typeof task !== 'string') throw invalidArgument(`'map' gave ${show(task)} as the task: it must be a name`)
  if (tasks !== undefined && !tasks.has(task)) {
    const list = [...tasks].join("', '")
    throw invalidArgument(`No task of this worker is called ${show(task)}: its 'tasks' are '${list}'`)
  }
  return { task, input, options: limited(named(options), maxTimeout) }
}

/** @param {Record<string, unknown>} options */
function named(options) {
  const copy = /** @type {Record<string, unknown>} */ (Object.create(null))
  for (const name of OPTIONS) if (Object.hasOwn(options, name)) copy[name] = options[name]
  return copy
}

/**
 * @param {Record<string, unknown>} options
 * @param {number | undefined} maxTimeout
 */
function limited(options, maxTimeout) {
  if (maxTimeout === undefined) return options
  const { timeout } = options
  return { ...options, timeout: typeof timeout === 'number' ? Math.min(timeout, maxTimeout) : maxTimeout }
}

/** @param {ProcessorOptions} given */
function read(given) {
  const known = ['tasks', 'map', 'sandbox', 'quarantine', 'maxTimeout']
  const unknown = Object.keys(given).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw invalidArgument(`createProcessor: unknown option '${unknown}'. It takes ${known.join(', ')}`)
  const { tasks, map, sandbox = false, quarantine = 'redelivered', maxTimeout } = given
  if (tasks !== undefined && !(Array.isArray(tasks) && tasks.every((name) => typeof name === 'string' && name !== '')))
    throw invalidArgument(`createProcessor: 'tasks' must be an array of names, got ${show(tasks)}`)
  if (map !== undefined && typeof map !== 'function')
    throw invalidArgument(`createProcessor: 'map' must be a function of a job, got ${show(map)}`)
  if (tasks === undefined && map === undefined && !sandbox)
    throw invalidArgument(
      "createProcessor: name the jobs that are taken, as in { tasks: ['resize'] }, or give a function 'map'"
    )
  if (!['redelivered', 'always', false].includes(quarantine))
    throw invalidArgument(`createProcessor: 'quarantine' must be 'redelivered', 'always' or false`)
  if (maxTimeout !== undefined && !(maxTimeout > 0))
    throw invalidArgument(`createProcessor: 'maxTimeout' must be milliseconds above 0, got ${show(maxTimeout)}`)
  return { tasks: tasks === undefined ? undefined : new Set(tasks), map, sandbox, quarantine, maxTimeout }
}

module.exports = { createProcessor, runIn }
