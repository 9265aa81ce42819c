'use strict'

// Tasks that a running task of the pool has submitted: the owner submits them on its behalf, and answers
// through the port of its isolate. No promise is involved, so it also works while the owner is blocked.

const { calls } = require('../../native/environment')
const { AbortError } = require('../../errors')
const { PORT_MESSAGE } = require('../../payload/port')
const { describe } = require('../../payload/thrown')
const { Settings } = require('../task/settings')
const { nativeTargetOf, scriptTargetOf } = require('../task/targets')
const { Task } = require('../task/task')

/**
 * @template K
 * @typedef {import('../../payload/messages').Of<import('../../payload/messages').FromIsolate, K>} Of
 */

/** The nested tasks that each running task has submitted. @type {WeakMap<Task, Set<NestedTask>>} */
const families = new WeakMap()

class NestedTask extends Task {
  /**
   * @param {import('../task/task').Home} home
   * @param {(fine: boolean, value: unknown) => void} answer
   */
  constructor(home, answer) {
    super(
      home,
      (value) => answer(true, value),
      (error) => answer(false, describe(error))
    )
  }

  /** @param {(reaction: Function) => unknown} make */
  fail(make) {
    this.reject(make(this.fail))
  }
}
// The blocked thread may wait for the task that called.
NestedTask.prototype.prompt = true

/**
 * @param {Task} outer
 * @returns {Set<NestedTask>}
 */
function familyOf(outer) {
  let family = families.get(outer)
  if (family === undefined) {
    family = new Set()
    families.set(outer, family)
    // However the outer task ends, no caller is left to wait for its nested tasks.
    const { unlisten } = outer
    const members = family
    outer.unlisten = () => {
      unlisten?.()
      giveUpAll(members)
    }
  }
  return family
}

/** @param {Iterable<NestedTask>} tasks whose caller is gone */
function giveUpAll(tasks) {
  for (const task of tasks) giveUp(task, new Error('The task that called has ended'))
}

/**
 * @param {NestedTask} task
 * @param {unknown} reason
 */
function giveUp(task, reason) {
  if (task.home.pool.cancel(task.key, task.generation)) task.abort(reason)
}

/**
 * @param {object} pool
 * @param {InstanceType<typeof import('../task/submitter').Submitter>} pool.submitter
 * @param {Readonly<import('../options/pool-options').ResolvedOptions>} pool.options
 * @param {Task | undefined} outer
 * @param {InstanceType<typeof import('./isolate').Isolate>} isolate that runs it
 * @param {Of<typeof PORT_MESSAGE.NESTED>} message
 */
function submit({ submitter, options }, outer, { nested, port }, message) {
  const id = message[3]
  const answer = (/** @type {boolean} */ fine, /** @type {unknown} */ value) => {
    if (nested.delete(id)) family?.delete(task)
    try {
      port.postMessage([PORT_MESSAGE.NESTED_DONE, id, fine, value])
    } catch (error) {
      port.postMessage([PORT_MESSAGE.NESTED_DONE, id, false, describe(error)])
    }
  }
  const task = new NestedTask(submitter.home, answer)
  const family = outer === undefined ? undefined : familyOf(outer)
  if (outer === undefined) return task.reject(new AbortError(new Error('The task that called has ended')))
  try {
    const settings = new Settings(options, { ...message[7], transferList: message[8] }, outer)
    const target = message[4] ? nativeTargetOf(message[5]) : scriptTargetOf(message[5])
    submitter.submitAs(task, target, message[6], settings, false)
  } catch (error) {
    // The observers have been told.
    return answer(false, describe(error))
  }
  if (calls[task.ticket] !== task) return
  nested.set(id, task)
  family?.add(task)
  port.postMessage([PORT_MESSAGE.NESTED_QUEUED, id])
}

/**
 * @param {InstanceType<typeof import('./isolate').Isolate>} isolate
 * @param {Of<typeof PORT_MESSAGE.NESTED_ABORT>} message
 */
function abort({ nested }, [, id]) {
  const task = nested.get(id)
  if (task !== undefined) giveUp(task, undefined)
}

module.exports = { NestedTask, submit, abort, giveUpAll }
