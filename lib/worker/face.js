'use strict'

// The interface of a pool for its script, in an isolate and outside of one.

const { isMainThread, threadId, workerData } = require('node:worker_threads')
const { context } = require('./context')
const { move } = require('../payload/move')

// This runs before the first task if the script requires it when it is loaded.
context.follow()

/** The task that the calling code belongs to. */
const task = Object.freeze({
  /** An AbortSignal that is up to date inside a synchronous loop, too; undefined outside of a task. */
  get signal() {
    context.follow()
    return context.current()?.signal
  },

  /**
   * The other end of the port of `pool.channel`; undefined outside of a task, and in a task that was called in another
   * way.
   */
  get port() {
    context.follow()
    return require('./channel').portOf(context.current())
  },

  /**
   * The number of this isolate: the lowest from 1 that no other living isolate of its pool had at its start; undefined
   * outside of a pool.
   */
  get workerNumber() {
    return context.workerNumber
  },

  /** A number that no other running task of the caller has; undefined outside of a task. */
  get id() {
    context.follow()
    return context.current()?.ticket
  },

  /**
   * Calls the caller's `onProgress` with a copy of the value. Does nothing outside of a task.
   * @param {unknown} value
   */
  progress(value) {
    context.follow()
    context.current()?.progress(value)
  }
})

/**
 * As `run` of the task's pool.
 * @param {unknown} [input]
 * @param {unknown} [options]
 * @returns {Promise<unknown>}
 */
const run = (input, options) => require('./nested').run(input, options)

/**
 * As `runTask` of the task's pool.
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
