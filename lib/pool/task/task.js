'use strict'

// One call: it settles exactly once, through `settle` (the scheduler has an outcome) or `abort` (the caller gave it up
// first).

const { MessagePort } = require('node:worker_threads')
const { BROKEN } = require('../../native/drain')
const { giveBack } = require('../../native/environment')
const { NOTICE, TAG } = require('../../native/wire')
const { PORT_MESSAGE } = require('../../payload/port')
const { revive } = require('../../payload/thrown')
const { rejecting } = require('./rejecting')
const errors = require('../../errors')

/**
 * The receiver of a value that comes through a port, ahead of its outcome.
 * @typedef {{ arrived: { value: unknown } | undefined }} Receiver
 */
/**
 * The outcome of a task whose value has not come.
 * @typedef {{ notice: number, about: number, worker: number }} Late
 */

/**
 * The part of the pool that a task needs.
 * @typedef {object} Home
 * @property {import('../../native/addon').NativePool} pool
 * @property {() => void} left a task has ended
 * @property {() => void} flush takes in messages that have come through ports
 * @property {(task: Task, worker: number) => boolean} look takes in what has come through the port of a worker, and
 *   returns whether the task's value may still come
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
    /** The scheduler's key of it. */
    this.key = 0
    this.generation = 0
    /** @type {(() => void) | undefined} */
    this.unlisten = undefined
  }

  /**
   * A worker has taken the task.
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
   * A chunk of a native stream has come.
   * @param {unknown} value
   */
  chunk(value) {
    this.link?.([PORT_MESSAGE.ITEMS, [value]], (message) => {
      if (message[0] === PORT_MESSAGE.CREDIT) this.home.pool.hasRead(this.key, this.generation, message[1])
    })
  }

  /**
   * A chunk has come that cannot be decoded, because it is too long for a string of the engine: no more are read.
   * @param {unknown} error
   */
  refuseChunk(error) {
    if (this.home.pool.cancel(this.key, this.generation)) this.refuse(error)
  }

  /**
   * @param {number} notice
   * @param {number} about the tag of a payload, or the worker
   * @param {unknown} value the payload, or how often the task was started
   * @returns {boolean} whether the task is over
   */
  settle(notice, about, value) {
    if (about === TAG.PORT && notice <= NOTICE.THREW && this.arrived === undefined) {
      const worker = /** @type {number} */ (value)
      // The message may be out of the port and not here yet: hooks of the program run in between.
      if (this.home.look(this, worker)) {
        this.late = { notice, about, worker }
        return false
      }
    }
    try {
      this.#conclude(notice, about, value)
    } finally {
      this.#left()
    }
    return true
  }

  /** The task has left the pool: lets go of its input and its signal. */
  #left() {
    if (this.held !== undefined) this.drop()
    try {
      if (this.unlisten !== undefined) this.unlisten()
    } finally {
      this.home.left()
    }
  }

  /**
   * Drops the input that no worker has asked for, and closes the ports that were transferred with it, since they have
   * no owner now.
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
      if (about === TAG.PORT && notice <= NOTICE.THREW) value = this.#valueOf()
      if (notice === NOTICE.RETURNED) this.resolve(value)
      else this.#fail(notice, about, value)
    } catch (error) {
      this.reject(error)
    }
  }

  /** The value that came through a port. The task does not keep it. */
  #valueOf() {
    const { arrived } = this
    this.arrived = undefined
    if (arrived === undefined) throw new errors.WorkerExitError('The worker ended before its result arrived', 0)
    return arrived.value
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
        // The task was for one worker only, which ended before it began.
        if (value === 0) return this.#failWith(unstarted)
        return this.#workerGone(this.home.whyGone(about), /** @type {number} */ (value))
      default: {
        const error = this.home.whyNotStarted()
        return this.#failWith(() => error)
      }
    }
  }

  /**
   * @param {unknown} why the error that the script left uncaught, or how the worker ended
   * @param {number} attempts
   */
  #workerGone(why, attempts) {
    if (!(why instanceof errors.WorkerExitError)) return this.reject(withAttempts(why, attempts))
    this.#failWith(() => withAttempts(new errors.WorkerExitError(why.message, why.exitCode), attempts))
  }

  /**
   * Rejects with an error of the pool, whose stack shows only the callers.
   * @param {() => Error} make
   */
  #failWith(make) {
    this.fail((reaction) => {
      const error = make()
      Error.captureStackTrace(error, reaction)
      return error
    })
  }

  /** @param {(reaction: Function) => unknown} make makes the error */
  fail(make) {
    this.resolve(rejecting(make))
  }

  /**
   * Rejects the call, after the scheduler has confirmed that it will not settle it.
   * @param {unknown} reason
   */
  abort(reason) {
    this.giveUp(() => new errors.AbortError(reason))
  }

  /**
   * As `abort`, for an input that could not be sent, or a chunk that could not be decoded.
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

// Properties that few tasks have are defaults of the prototype, so that the many other tasks stay small.
/**
 * The input, until the worker that took the task asks for it through its port.
 * @type {{ input: unknown, list: import('node:worker_threads').Transferable[] } | undefined}
 */
Task.prototype.held = undefined
/** The value that came for the task through a port, ahead of its outcome. @type {{ value: unknown } | undefined} */
Task.prototype.arrived = undefined
/** How it ended, if only its value is missing. @type {Late | undefined} */
Task.prototype.late = undefined
/** Whether it settles while its thread is blocked, before any observer is told. */
Task.prototype.prompt = false
/** The class that watches tasks, once somebody observes them. @type {InstanceType<typeof import('../observe/watcher').Watcher> | undefined} */
Task.prototype.watcher = undefined
/** Whether the scheduler reports its start and its run time. */
Task.prototype.observed = false
/** @type {((value: unknown) => void) | undefined} */
Task.prototype.onProgress = undefined
/** The receiver of the messages of its stream. @type {import('./settings').Link | undefined} */
Task.prototype.link = undefined

/** @type {WeakSet<object>} */
const unstartedErrors = new WeakSet()

function unstarted() {
  const error = new errors.WorkerExitError('The worker ended before the task had begun', 0)
  unstartedErrors.add(error)
  return error
}

/**
 * Whether a task for one worker only failed because that worker ended before the task began.
 * @param {unknown} error
 */
function neverStarted(error) {
  return error instanceof errors.WorkerExitError && unstartedErrors.has(error)
}

/**
 * Adds to an error how often its task was started, if more than once.
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
