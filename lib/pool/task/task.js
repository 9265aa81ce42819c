'use strict'

// One call of the caller's: it settles exactly once, through `settle` (the scheduler has an outcome)
// or `abort` (the caller gave it up first).

const { MessagePort } = require('node:worker_threads')
const { BROKEN } = require('../../native/drain')
const { giveBack } = require('../../native/environment')
const { NOTICE, TAG } = require('../../native/wire')
const { revive } = require('../../payload/thrown')
const { rejecting } = require('./rejecting')
const errors = require('../../errors')

/** @typedef {{ arrived: { value: unknown } | undefined }} Receiver of what comes through a port ahead of its outcome */

/**
 * What a task needs of its pool.
 * @typedef {object} Home
 * @property {import('../../native/addon').NativePool} pool
 * @property {() => void} left a task has ended
 * @property {() => void} flush take in what has come through ports
 * @property {(task: Receiver, worker: number) => unknown} receive a result that came through a port
 * @property {(worker: number) => unknown} whyGone
 * @property {() => Error} whyNotStarted
 */

class Task {
  // A property that somebody adds to Object.prototype must not appear as a field.
  static {
    Object.setPrototypeOf(this.prototype, null)
  }

  /**
   * @param {Home} home
   * @param {(value: unknown) => void} resolve
   * @param {(error: unknown) => void} reject
   */
  constructor(home, resolve, reject) {
    this.home = home
    this.resolve = resolve
    this.reject = reject
    this.ticket = -1
    /** The scheduler's name for it. */
    this.key = 0
    this.generation = 0
    /** @type {(() => void) | undefined} */
    this.unlisten = undefined
  }

  /**
   * A worker has taken it.
   * @param {number} worker
   * @param {number} wait milliseconds
   */
  started(worker, wait) {
    this.watcher?.started(worker, wait)
  }

  /** @param {number} run milliseconds */
  ran(run) {
    this.watcher?.ran(run)
  }

  /**
   * @param {number} notice
   * @param {number} about the tag of a payload, or the worker
   * @param {unknown} value the payload, or how often the task was started
   */
  settle(notice, about, value) {
    try {
      this.#conclude(notice, about, value)
    } finally {
      this.#left()
    }
  }

  /** Nobody has to do with it any more. */
  #left() {
    if (this.held !== undefined) this.drop()
    try {
      if (this.unlisten !== undefined) this.unlisten()
    } finally {
      this.home.left()
    }
  }

  /**
   * Lets go of the input that no worker has asked for. What was handed over with it is closed: it is nobody's.
   * @returns {void}
   */
  drop() {
    const list = this.held?.list ?? []
    this.held = undefined
    for (const each of list) if (each instanceof MessagePort) each.close()
  }

  /**
   * @param {number} notice
   * @param {number} about
   * @param {unknown} value
   */
  #conclude(notice, about, value) {
    try {
      if (about === TAG.PORT && notice <= NOTICE.THREW) value = this.home.receive(this, /** @type {number} */ (value))
      if (notice === NOTICE.RETURNED) this.resolve(value)
      else this.#fail(notice, about, value)
    } catch (error) {
      this.reject(error)
    }
  }

  /**
   * @param {number} notice
   * @param {number} about
   * @param {unknown} value
   */
  #fail(notice, about, value) {
    switch (notice) {
      case BROKEN:
        return this.reject(value)
      case NOTICE.THREW:
        return this.fail(() => revive(/** @type {import('../../payload/thrown').Description} */ (value)))
      case NOTICE.FAILED: {
        const text = /** @type {string} */ (value)
        const end = text.indexOf('\n')
        return this.#failWith(() => errors.fromCode(text.slice(0, end), text.slice(end + 1)))
      }
      case NOTICE.TASK_TIMEOUT:
        return this.#failWith(() => new errors.TaskTimeoutError('The task ran longer than its timeout'))
      case NOTICE.QUEUE_TIMEOUT:
        return this.#failWith(() => new errors.QueueTimeoutError('The task waited longer than its queueTimeout'))
      case NOTICE.DEADLINE:
        return this.#failWith(() => new errors.DeadlineError('The task had not ended at its deadline'))
      case NOTICE.CANCELLED:
        return this.#failWith(() => new errors.AbortError(new Error('cancelQueued() was called')))
      case NOTICE.POOL_CLOSED:
        return this.#failWith(() => new errors.PoolClosedError('The pool was destroyed before the task ended'))
      case NOTICE.WORKER_GONE:
        // A task that was for one worker only, which has ended before.
        if (value === 0) return this.#failWith(unstarted)
        return this.#workerGone(this.home.whyGone(about), /** @type {number} */ (value))
      default: {
        const error = this.home.whyNotStarted()
        return this.#failWith(() => error)
      }
    }
  }

  /**
   * @param {unknown} why what the script left uncaught, or how it ended
   * @param {number} attempts
   */
  #workerGone(why, attempts) {
    if (!(why instanceof errors.WorkerExitError)) return this.reject(withAttempts(why, attempts))
    this.#failWith(() => withAttempts(new errors.WorkerExitError(why.message, why.exitCode), attempts))
  }

  /**
   * Rejects with an error of the pool's own: of its stack only the callers are of interest.
   * @param {() => Error} make
   */
  #failWith(make) {
    this.fail((reaction) => {
      const error = make()
      Error.captureStackTrace(error, reaction)
      return error
    })
  }

  /** @param {(reaction: Function) => unknown} make what it rejects with */
  fail(make) {
    this.resolve(rejecting(make))
  }

  /**
   * The scheduler has confirmed that this call's outcome is ours to tell.
   * @param {unknown} reason
   */
  abort(reason) {
    this.giveUp(() => new errors.AbortError(reason))
  }

  /**
   * As `abort`: its input could not be sent.
   * @param {unknown} error
   */
  refuse(error) {
    giveBack(this.ticket)
    try {
      this.reject(error)
    } finally {
      this.#left()
    }
  }

  /**
   * As `abort`, with an error of another kind.
   * @param {() => Error} make
   */
  giveUp(make) {
    giveBack(this.ticket)
    try {
      this.#failWith(make)
    } finally {
      this.#left()
    }
  }
}

// What few tasks have is a property of those only: the others are the smaller for it, and there are many.
/** Its input, until the worker that took it asks for it through its port. @type {{ input: unknown, list: import('node:worker_threads').Transferable[] } | undefined} */
Task.prototype.held = undefined
/** What came for it through a port ahead of its outcome. @type {{ value: unknown } | undefined} */
Task.prototype.arrived = undefined
/** Whether it settles while its thread is blocked, before any observer is told. */
Task.prototype.prompt = false
/** The class that watches tasks, once somebody observes them. @type {InstanceType<typeof import('../observe/watcher').Watcher> | undefined} */
Task.prototype.watcher = undefined
/** Whether the scheduler tells of its start, and how long it ran. */
Task.prototype.observed = false
/** @type {((value: unknown) => void) | undefined} */
Task.prototype.onProgress = undefined
/** What takes the messages of its stream. @type {import('./settings').Link | undefined} */
Task.prototype.link = undefined

/** @type {WeakSet<object>} */
const unstartedErrors = new WeakSet()

function unstarted() {
  const error = new errors.WorkerExitError('The worker ended before the task had begun', 0)
  unstartedErrors.add(error)
  return error
}

/**
 * Whether a task that was for one worker only failed because that had ended before.
 * @param {unknown} error
 */
function neverStarted(error) {
  return error instanceof errors.WorkerExitError && unstartedErrors.has(error)
}

/**
 * How often a task was started, where that was more than once.
 * @template T
 * @param {T} error
 * @param {number} attempts
 * @returns {T}
 */
function withAttempts(error, attempts) {
  if (attempts > 1 && error !== null && typeof error === 'object' && Object.isExtensible(error))
    Object.assign(error, { attempts })
  return error
}

module.exports = { Task, neverStarted }
