'use strict'

// One call of the caller's: it settles exactly once, through `settle` (the scheduler has an outcome)
// or `abort` (the caller gave it up first).

const { giveBack, bytes } = require('../../native/environment')
const { RECORD, TAG } = require('../../native/wire')
const { decode } = require('../../payload/values')
const { revive } = require('../../payload/thrown')
const { rejecting } = require('./rejecting')
const errors = require('../../errors')

/**
 * What a task needs of its pool.
 * @typedef {object} Home
 * @property {import('../../native/addon').NativePool} pool
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
   * @param {number} what
   * @param {number} about
   * @param {number} length
   * @param {number} offset
   */
  settle(what, about, length, offset) {
    if (this.unlisten !== undefined) this.unlisten()
    try {
      if (what === RECORD.RETURNED) {
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
      case RECORD.THREW: {
        const description =
          about === TAG.PORT ? this.home.receive(numberAt(offset), this.generation) : decode(about, length, offset)
        return this.fail(() => revive(description))
      }
      case RECORD.FAILED: {
        const [code, ...message] = bytes.utf8Slice(offset, offset + length).split('\n')
        return this.#failWith(() => errors.fromCode(code, message.join('\n')))
      }
      case RECORD.TASK_TIMEOUT:
        return this.#failWith(() => new errors.TaskTimeoutError('The task ran longer than its timeout'))
      case RECORD.QUEUE_TIMEOUT:
        return this.#failWith(() => new errors.QueueTimeoutError('The task waited longer than its queueTimeout'))
      case RECORD.DEADLINE:
        return this.#failWith(() => new errors.DeadlineError('The task had not ended at its deadline'))
      case RECORD.CANCELLED:
        return this.#failWith(() => new errors.AbortError(new Error('cancelQueued() was called')))
      case RECORD.POOL_CLOSED:
        return this.#failWith(() => new errors.PoolClosedError('The pool was destroyed before the task ended'))
      case RECORD.WORKER_GONE:
        // A task that was for one worker only, which has ended before.
        if (length === 0) return this.#failWith(unstarted)
        return this.#workerGone(this.home.whyGone(about), length)
      default: {
        const error = this.home.whyNotStarted()
        return this.#failWith(() => error)
      }
    }
  }

  /**
   * @param {any} why what the script left uncaught, or how it ended
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

  /** @param {(reaction: Function) => any} make what it rejects with */
  fail(make) {
    this.resolve(rejecting(make))
  }

  /**
   * The scheduler has confirmed that this call's outcome is ours to tell.
   * @param {unknown} reason
   */
  abort(reason) {
    if (this.unlisten !== undefined) this.unlisten()
    giveBack(this.ticket)
    this.#failWith(() => new errors.AbortError(reason))
    this.home.left()
  }
}

// What few tasks have is a property of those only: the others are the smaller for it, and there are many.
/** Its input, until the worker that took it asks for it through its port. @type {any} */
Task.prototype.held = undefined
/** Whether it settles while its thread is blocked, before anybody who looks on is told. */
Task.prototype.prompt = false
/** Who looks on. @type {InstanceType<typeof import('../observe/watcher').Watcher> | undefined} */
Task.prototype.watcher = undefined
/** Whether the scheduler tells of its start, and how long it ran. */
Task.prototype.observed = false
/** @type {((value: any) => void) | undefined} */
Task.prototype.onProgress = undefined
/** What takes the messages of its stream. @type {((kind: number, value: any, reply: any) => void) | undefined} */
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
 * @param {any} error
 */
function neverStarted(error) {
  return unstartedErrors.has(error)
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

module.exports = { Task, neverStarted }
