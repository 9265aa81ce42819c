'use strict'

/** The symbol that leads from the view that a load balancer has chosen to its thread. */
const kThread = Symbol('thread')

/** @typedef {ReturnType<typeof viewOf>} View */

/**
 * A thread, as load balancers and listeners see it.
 * @param {object} thread
 * @param {() => number} thread.id
 * @param {() => number} thread.usage
 * @param {() => boolean} thread.destroyed
 * @param {() => boolean} [thread.isRunningAbortableTask]
 * @param {() => Record<string, number> | null} [thread.histogram]
 * @param {InstanceType<typeof import('./thread').Thread>} [origin]
 */
function viewOf({ id, usage, destroyed, isRunningAbortableTask = () => false, histogram = () => null }, origin) {
  return {
    get id() {
      return id()
    },
    get currentUsage() {
      return usage()
    },
    get isRunningAbortableTask() {
      return isRunningAbortableTask()
    },
    get histogram() {
      return histogram()
    },
    // A thread is never seen while it is ending.
    terminating: false,
    get destroyed() {
      return destroyed()
    },
    [kThread]: origin
  }
}

module.exports = { kThread, viewOf }
