'use strict'

// The options with which an isolate is started: those of its pool, those that `onWorkerStart` gives for it, and its
// number.

const fs = require('node:fs')
const { SHARE_ENV } = require('node:worker_threads')
const { UNNUMBERED, workerStart } = require('../options')

/** @typedef {import('../options/pool-options').ResolvedOptions & { [UNNUMBERED]?: boolean }} ResolvedOptions */

/**
 * @param {ResolvedOptions} options
 * @param {number} number
 * @returns {import('node:worker_threads').WorkerOptions}
 */
function workerOptions(options, number) {
  const { workerData, env, argv, execArgv, resourceLimits, transferList, trackUnmanagedFds } = options
  const pools = { workerData, env, argv, execArgv, resourceLimits, transferList, trackUnmanagedFds }
  const given = Object.assign(Object.create(null), pools, workerStart(options.onWorkerStart?.(number)))
  for (const name of Object.keys(given)) if (given[name] === undefined) delete given[name]
  if (given.env !== SHARE_ENV && !options[UNNUMBERED])
    given.env = { ...(given.env ?? process.env), RSPOOL_WORKER: String(number) }
  given.name = `rspool ${options.label} ${number}`
  return given
}

/** A worker cannot start without a working directory, and Node.js does not tell a blocked thread so. */
function needsWorkingDirectory() {
  try {
    fs.realpathSync.native('.')
  } catch (cause) {
    throw new Error('the working directory of the process is gone, and no thread can start without one', { cause })
  }
}

module.exports = { workerOptions, needsWorkingDirectory }
