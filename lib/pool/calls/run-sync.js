'use strict'

// `pool.runSync`: blocks the calling thread until a task has ended. What its event loop would have done for
// the pool meanwhile is done here; promises of other tasks settle too, and their reactions run afterwards.

const { drain, block, unblock } = require('../../native/drain')
const { bound } = require('../../native/environment')
const { DeadlockError, invalidArgument } = require('../../errors')
const { Task } = require('../task/task')

/** Milliseconds after which a blocked thread looks up: it may have been terminated. */
const SLICE = 50

/** A call whose outcome is waited for in place. */
class BlockingTask extends Task {
  settled = false
  failed = false
  /** What it gave or threw. @type {unknown} */
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
 * @returns {unknown} what the task gives
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
    // What happened before, and what was sent when nobody rang for it.
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
