'use strict'

// What a script sees of its pool, in an isolate and outside of one.

const { isMainThread, threadId, workerData } = require('node:worker_threads')
const { context } = require('./context')
const { move } = require('../payload/move')

// Before the first task, if the script asks for it when it is loaded.
context.follow()

/** The task that the calling code runs for. */
const task = Object.freeze({
  /** An AbortSignal that is also right inside a synchronous loop; undefined outside of a task. */
  get signal() {
    context.follow()
    return context.current()?.signal
  },

  /** The other end of the port of `pool.channel`; undefined in any other task, and outside of one. */
  get port() {
    context.follow()
    return require('./channel').portOf(context.current())
  },

  /** The number of this isolate, the lowest from 1 that no other living one of its pool has; undefined outside of a pool. */
  get workerNumber() {
    return context.workerNumber
  },

  /** A number that no other running task of the caller has; undefined outside of a task. */
  get id() {
    context.follow()
    return context.current()?.ticket
  },

  /**
   * Calls the caller's `onProgress` with a copy of the value; nothing outside of a task.
   * @param {unknown} value
   */
  progress(value) {
    context.follow()
    context.current()?.progress(value)
  }
})

/**
 * As `run` of the task's own pool.
 * @param {unknown} [input]
 * @param {unknown} [options]
 * @returns {Promise<unknown>}
 */
const run = (input, options) => require('./nested').run(input, options)

/**
 * As `runTask` of the task's own pool.
 * @param {unknown} target
 * @param {unknown} [input]
 * @param {unknown} [options]
 * @returns {Promise<unknown>}
 */
const runTask = (target, input, options) => require('./nested').runTask(target, input, options)

module.exports = {
  task,
  run,
  runTask,
  move,
  isWorkerThread: !isMainThread,
  threadId,
  workerData,
  /** The stores whose values travel with tasks, by name. */
  get context() {
    return require('./stores').context
  }
}
