'use strict'

// How a task is to be run: what was given with it, over what its pool was given.

const { toLimit } = require('./options')
const { toJson } = require('./payload/values')

/** What is settled for every task of a pool, or given with one. */
class Settings {
  /**
   * @param {any} pool the pool's options
   * @param {any} [run] the task's
   */
  constructor(pool, run) {
    this.timeout = toLimit(run?.timeout ?? pool.timeout)
    this.queueTimeout = toLimit(run?.queueTimeout ?? pool.queueTimeout)
    this.priority = run?.priority ?? 0
    this.deadline = run?.deadline
    this.retries = run?.retries ?? pool.retries ?? 0
    this.signal = run?.signal
    this.transferList = run?.transferList
    this.params = run?.params === undefined ? undefined : toJson(run.params, "Task options: 'params'")
    this.counters = run?.counters
    this.onProgress = run?.onProgress
    /** The running task that may wait for it. @type {InstanceType<typeof import('./task').Task> | undefined} */
    this.outer = undefined
    /** What takes the messages of a stream. @type {((kind: number, value: any, reply: any) => void) | undefined} */
    this.link = undefined
  }
}

module.exports = { Settings }
