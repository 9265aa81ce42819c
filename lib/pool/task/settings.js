'use strict'

// The settings of a task: the options given with it, over those of its pool.

const { toLimit } = require('../options')
const { toJson } = require('../../payload/values')

/** @typedef {(message: import('../../payload/messages').StreamMessage, reply: Reply) => void} Link */
/** @typedef {(message: import('../../payload/messages').StreamMessage, transferList?: readonly import('node:worker_threads').Transferable[]) => void} Reply */
/**
 * The options that may be given with a call, however it is made.
 * @typedef {import('../options/task-options').TaskOptions} Given
 */

/** The settings for every task of a pool, or for one task. */
class Settings {
  // A property that somebody adds to Object.prototype must not appear as a field.
  static {
    Object.setPrototypeOf(this.prototype, null)
  }

  /**
   * @param {Readonly<import('../options/pool-options').ResolvedOptions>} pool the pool's options
   * @param {Given} [run] the options of the task
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
    /** Joined here, since no code of the user may run once the input has been encoded. */
    this.counterNames = run?.counters?.names.join('\0')
    /** Whether no other worker may help with it. */
    this.alone = run?.parallel === false
    this.onProgress = run?.onProgress
    this.outer = outer
    this.group = run?.group
    /** 0 for any worker, a key of affinity above 0, or -1 - id for one worker only. */
    this.placement = run?.affinity ?? 0
    /** Whether the cells of a call have room for all settings. */
    this.isPlain =
      outer === undefined &&
      this.params === undefined &&
      this.counters === undefined &&
      this.group === undefined &&
      this.onProgress === undefined
    /** @type {Link | undefined} */
    this.linked = undefined
    /** The number of chunks for which the reader of a stream has room; 0 if it is no stream. */
    this.room = 0
    /**
     * The context that travels. A nested task takes no stores of the pool, since those are of another thread than its
     * caller.
     */
    this.stores = outer === undefined ? pool.context : undefined
    this.context = run?.context
    /** Whether a watcher is needed: the task is more than a call and its result. */
    this.watched =
      pool.timing === true || this.onProgress !== undefined || this.stores !== undefined || this.context !== undefined
  }

  get link() {
    return this.linked
  }

  /**
   * Makes the task a stream.
   * @param {number} room the number of chunks for which its reader has room
   * @param {Link} link the receiver of its messages
   */
  asStream(room, link) {
    this.room = room
    this.linked = link
    this.watched = true
    this.isPlain = false
    // A chunk that was sent cannot be taken back.
    this.retries = 0
  }
}

module.exports = { Settings }
