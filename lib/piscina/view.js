'use strict'

/** The symbol by which a thread is found again behind what a load balancer has chosen. */
const kThread = Symbol('thread')

/** @typedef {ReturnType<typeof viewOf>} View */

/**
 * What load balancers and listeners see of a thread.
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
    // Ending takes no time that could be seen from here.
    terminating: false,
    get destroyed() {
      return destroyed()
    },
    [kThread]: origin
  }
}

module.exports = { kThread, viewOf }
