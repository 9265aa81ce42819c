'use strict'

// `pool.runSync`: blocks the calling thread until a task has ended. Meanwhile this code does the work that the event
// loop would do for the pool. Promises of other tasks settle too, and their reactions run afterwards.

const { drain, block, unblock } = require('../../native/drain')
const { bound } = require('../../native/environment')
const { DeadlockError, invalidArgument } = require('../../errors')
const { Task } = require('../task/task')

/** Milliseconds after which a blocked thread wakes to see whether it was terminated. */
const SLICE = 50

/** A call whose caller blocks until the outcome is there. */
class BlockingTask extends Task {
  settled = false
  failed = false
  /** The result, or the error that was thrown. @type {unknown} */
  outcome = undefined

  /** @param {import('../task/task').Home} home */
  constructor(home) {
    super(
      home,
      (value) => this.#settle(false, value),
      (error) => this.#settle(true, error)
    )
  }

  /**
   * @param {boolean} failed
   * @param {unknown} outcome
   */
  #settle(failed, outcome) {
    this.settled = true
    this.failed = failed
    this.outcome = outcome
  }

  /** @param {(reaction: Function) => unknown} make */
  fail(make) {
    this.reject(make(runSync))
  }
}
BlockingTask.prototype.prompt = true

/**
 * @param {import('./map').Caller} pool
 * @param {InstanceType<typeof import('../task/targets').Target>} target
 * @param {unknown} input
 * @param {InstanceType<typeof import('../task/settings').Settings>} settings
 * @returns {unknown} the result of the task
 */
function runSync({ submitter, isolates, paused }, target, input, settings) {
  if (settings.onProgress !== undefined)
    throw invalidArgument("Task options: 'onProgress' cannot be called while its thread is blocked: use run()")
  if (paused)
    throw new DeadlockError(
      'The pool is paused, and its thread could not resume it while it is blocked: resume() first'
    )
  const task = new BlockingTask(submitter.home)
  const goOn = submitter.leavePlaces()
  block()
  try {
    // Takes in what happened before, and messages for which nobody rang.
    isolates.catchUp()
    submitter.submitAs(task, target, input, settings, false)
    while (!task.settled) {
      bound.wait(SLICE)
      drain()
    }
  } finally {
    unblock()
    goOn()
  }
  if (task.failed) throw task.outcome
  return task.outcome
}

module.exports = { runSync }
