'use strict'

// How a task is to be run: what was given with it, over what its pool was given.

const { toLimit } = require('../options')
const { toJson } = require('../../payload/values')

/** @typedef {(message: import('../../payload/messages').StreamMessage, reply: Reply) => void} Link */
/** @typedef {(message: import('../../payload/messages').StreamMessage, transferList?: readonly import('node:worker_threads').Transferable[]) => void} Reply */
/** What may be given with a call, in whatever way it is called. @typedef {import('../options/task-options').TaskOptions} Given */

/** What is settled for every task of a pool, or given with one. */
class Settings {
  // A property that somebody adds to Object.prototype must not appear as a field.
  static {
    Object.setPrototypeOf(this.prototype, null)
  }

  /**
   * @param {Readonly<import('../options/pool-options').ResolvedOptions>} pool the pool's options
   * @param {Given} [run] the task's
   * @param {InstanceType<typeof import('./task').Task>} [outer] the running task that may wait for it
   */
  constructor(pool, run, outer) {
    this.timeout = toLimit(run?.timeout ?? pool.timeout)
    this.queueTimeout = toLimit(run?.queueTimeout ?? pool.queueTimeout)
    this.priority = run?.priority ?? 0
    this.deadline = run?.deadline
    this.retries = run?.retries ?? pool.retries ?? 0
    this.signal = run?.signal
    this.transferList = run?.transferList
    this.params = run?.params === undefined ? undefined : toJson(run.params, "Task options: 'params'")
    this.counters = run?.counters
    /** Whether no other worker is to help with it. */
    this.alone = run?.parallel === false
    this.onProgress = run?.onProgress
    this.outer = outer
    this.group = run?.group
    /** 0 for any worker, a key above 0, or -1 - the id of the only one. */
    this.placement = run?.affinity ?? 0
    /** Whether the cells of a call hold all that the scheduler is told. */
    this.isPlain =
      outer === undefined &&
      this.params === undefined &&
      this.counters === undefined &&
      this.group === undefined &&
      this.onProgress === undefined
    /** @type {Link | undefined} */
    this.linked = undefined
    /** What is to travel: registered stores, which are those of another thread than the outer task's, and values. */
    this.stores = outer === undefined ? pool.context : undefined
    this.context = run?.context
    /** Whether it is more than a call and its result. */
    this.watched =
      pool.timing === true || this.onProgress !== undefined || this.stores !== undefined || this.context !== undefined
  }

  get link() {
    return this.linked
  }

  /** What takes the messages of a stream. */
  set link(link) {
    this.linked = link
    this.watched = true
  }
}

module.exports = { Settings }
