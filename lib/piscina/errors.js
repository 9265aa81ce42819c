'use strict'

// The errors that users of piscina know, and the pool's error for which each stands.

const errors = require('../errors')

class AbortError extends Error {
  /** @param {unknown} [reason] */
  constructor(reason) {
    super('The task has been aborted', { cause: reason })
  }
}
Object.defineProperty(AbortError.prototype, 'name', { value: 'AbortError', configurable: true, writable: true })

const terminated = () => new Error('Terminating worker thread')
const noFilename = () => new Error('filename must be provided to run() or in options object')
const closeTimedOut = () => new Error('Close operation timed out')

/** @param {number} maxQueue */
function queueFull(maxQueue) {
  return new Error(maxQueue > 0 ? 'Task queue is at limit' : 'No task queue available and all Workers are busy')
}

/**
 * The error that a caller gets for an error of the pool. Errors that scripts throw stay as they are.
 * @param {unknown} error
 * @param {number} maxQueue
 */
function translate(error, maxQueue) {
  if (error instanceof errors.AbortError) return new AbortError(error.cause)
  if (error instanceof errors.PoolClosedError) return terminated()
  if (error instanceof errors.QueueFullError) return queueFull(maxQueue)
  if (error instanceof errors.WorkerExitError) return new Error(`worker exited with code: ${error.exitCode}`)
  if (error instanceof errors.WorkerStartError) return error.cause ?? error
  return error
}

module.exports = { AbortError, terminated, noFilename, closeTimedOut, queueFull, translate }
