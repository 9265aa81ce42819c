'use strict'

// One call of the caller's: it settles exactly once, through `settle` (the scheduler has an outcome)
// or `abort` (the caller gave it up first).

const { giveBack, bytes, WHAT } = require('./environment')
const { TAG, decode } = require('./payload/values')
const { revive } = require('./payload/thrown')
const errors = require('./errors')

/**
 * What a task needs of its pool.
 * @typedef {object} Home
 * @property {number} handle of the pool
 * @property {() => void} left a task has ended
 * @property {() => void} flush take in what has come through ports
 * @property {(worker: number, generation: number) => any} receive a result that came through a port
 * @property {(worker: number) => unknown} whyGone
 * @property {() => Error} whyNotStarted
 */

class Task {
  /**
   * @param {Home} home
   * @param {(value: any) => void} resolve
   * @param {(error: any) => void} reject
   */
  constructor(home, resolve, reject) {
    this.home = home
    this.resolve = resolve
    this.reject = reject
    this.ticket = -1
    this.priority = 0
    /** Its input, until the worker that took it asks for it through its port. @type {any} */
    this.held = undefined
    /** Whether the scheduler tells of its start. */
    this.observed = false
    /** @type {((value: any) => void) | undefined} */
    this.onProgress = undefined
    /** What takes the messages of its stream. @type {((kind: number, value: any, reply: any) => void) | undefined} */
    this.link = undefined
    /** The scheduler's name for it. */
    this.key = 0
    this.generation = 0
    /** @type {(() => void) | undefined} */
    this.unlisten = undefined
  }

  /**
   * @param {number} what
   * @param {number} about
   * @param {number} length
   * @param {number} offset
   */
  settle(what, about, length, offset) {
    if (this.unlisten !== undefined) this.unlisten()
    try {
      if (what === WHAT.RETURNED) {
        this.resolve(
          about === TAG.PORT ? this.home.receive(numberAt(offset), this.generation) : decode(about, length, offset)
        )
      } else this.#fail(what, about, length, offset)
    } catch (error) {
      this.reject(error)
    }
    this.home.left()
  }

  /**
   * @param {number} what
   * @param {number} about
   * @param {number} length
   * @param {number} offset
   */
  #fail(what, about, length, offset) {
    switch (what) {
      case WHAT.THREW:
        this.threw(
          about === TAG.PORT ? this.home.receive(numberAt(offset), this.generation) : decode(about, length, offset)
        )
        return
      case WHAT.FAILED: {
        const [code, ...message] = bytes.utf8Slice(offset, offset + length).split('\n')
        this.reject(errors.fromCode(code, message.join('\n')))
        return
      }
      case WHAT.TASK_TIMEOUT:
        this.reject(new errors.TaskTimeoutError('The task ran longer than its timeout'))
        return
      case WHAT.QUEUE_TIMEOUT:
        this.reject(new errors.QueueTimeoutError('The task waited longer than its queueTimeout'))
        return
      case WHAT.DEADLINE:
        this.reject(new errors.DeadlineError('The task had not ended at its deadline'))
        return
      case WHAT.CANCELLED:
        this.reject(new errors.AbortError(new Error('cancelQueued() was called')))
        return
      case WHAT.POOL_CLOSED:
        this.reject(new errors.PoolClosedError('The pool was destroyed before the task ended'))
        return
      case WHAT.WORKER_GONE:
        this.reject(withAttempts(this.home.whyGone(about), length))
        return
      default:
        this.reject(this.home.whyNotStarted())
    }
  }

  /** @param {any} description of what a script threw */
  threw(description) {
    this.resolve(thrown(description))
  }

  /**
   * The scheduler has confirmed that this call's outcome is ours to tell.
   * @param {unknown} reason
   */
  abort(reason) {
    if (this.unlisten !== undefined) this.unlisten()
    giveBack(this.ticket)
    this.reject(new errors.AbortError(reason))
    this.home.left()
  }
}

/**
 * Rejects with what a script threw. The error is made in a reaction of a promise that the caller's follows
 * by then (a reaction before it gives it the time to): its stack has the frames of the async functions that
 * wait for the task.
 * @param {any} description
 * @returns {Promise<never>}
 */
function thrown(description) {
  return Promise.resolve()
    .then(() => {})
    .then(() => {
      throw revive(description)
    })
}

/**
 * How often a task was started, where that was more than once.
 * @param {any} error
 * @param {number} attempts
 */
function withAttempts(error, attempts) {
  if (attempts > 1 && error !== null && typeof error === 'object' && Object.isExtensible(error))
    error.attempts = attempts
  return error
}

/** @param {number} offset */
function numberAt(offset) {
  return bytes.readDoubleLE(offset)
}

module.exports = { Task, thrown }
