'use strict'

// The errors that only the fleet has. Each is an RspoolError with its own code.

const { RspoolError } = require('../errors')

/** The engine is away, or refuses. @param {unknown} cause */
function engineAway(cause) {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new RspoolError('ERR_RSPOOL_ENGINE', `The engine of the fleet cannot be used: ${why}`, { cause })
}

/** @param {number} starts */
function workerLost(starts) {
  const often = starts === 1 ? 'once' : `${starts} times`
  return new RspoolError(
    'ERR_RSPOOL_WORKER_LOST',
    `The task was started ${often}, and each time its worker was lost before the task had ended`
  )
}

/** @param {string} id */
function noReply(id) {
  return new RspoolError(
    'ERR_RSPOOL_NO_REPLY',
    `Nothing was heard of task ${id} in time. It may still wait or run: fleet.result(id) asks for it again`
  )
}

/** @param {string} id */
function lost(id) {
  return new RspoolError('ERR_RSPOOL_LOST', `The engine does not know task ${id} any more: its memory was lost`)
}

module.exports = { engineAway, workerLost, noReply, lost }
