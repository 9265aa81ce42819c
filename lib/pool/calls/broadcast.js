'use strict'

// `pool.broadcast`: a task that runs once in every worker of the script lane.

const { invalidArgument } = require('../../errors')
const { broadcastOptions } = require('../options')
const { neverStarted } = require('../task/task')
const { SCRIPT } = require('../task/targets')

/**
 * @param {import('./map').Caller} caller
 * @param {unknown} task
 * @param {unknown} input
 * @param {unknown} given
 * @returns {Promise<unknown[]>}
 */
async function broadcast(caller, task, input, given) {
  caller.phase.mustBeOpen()
  const target = caller.target(task)
  if (target.lane !== SCRIPT) throw invalidArgument('A broadcast runs in isolates: its task must not be a native one')
  const options = broadcastOptions(given)
  if (caller.native.readyCount(SCRIPT) === 0) {
    await caller.isolates.starts.whenReady(Math.max(caller.options.minThreads, 1))
  }
  const calls = caller.native.readyIds(SCRIPT).map((id) => callIn(caller, id, target, input, options))
  const results = []
  let failure
  for (const outcome of await Promise.allSettled(calls)) {
    if (outcome.status === 'fulfilled') results.push(outcome.value)
    // A worker that ended before its turn has no result, which is no failure.
    else if (!neverStarted(outcome.reason)) failure ??= outcome
  }
  if (failure !== undefined) throw failure.reason
  return results
}

/**
 * @param {import('./map').Caller} caller
 * @param {number} id
 * @param {InstanceType<typeof import('../task/targets').Target>} target
 * @param {unknown} input
 * @param {import('../task/settings').Given} options
 */
async function callIn(caller, id, target, input, options) {
  const settings = caller.settings(options)
  settings.placement = -1 - id
  settings.retries = 0
  return caller.submit(target, input, settings)
}

module.exports = { broadcast }
