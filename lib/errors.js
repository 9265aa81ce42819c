'use strict'

// One class per case, each with a stable `code`. Match on the code, which is the same across realms and copies of the
// package.

const kRspoolError = Symbol.for('rspool.error')

/** The link to the explanation of a code. @param {string} code */
const urlOf = (code) => `https://github.com/rspool/rspool/blob/main/docs/errors.md#${code.toLowerCase()}`

class RspoolError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{ cause?: unknown }} [options]
   */
  constructor(code, message, options) {
    super(message, options)
    this.code = code
  }

  static [Symbol.hasInstance](/** @type {unknown} */ value) {
    if (this !== RspoolError) return Function.prototype[Symbol.hasInstance].call(this, value)
    return (
      value !== null &&
      typeof value === 'object' &&
      /** @type {{ [kRspoolError]?: unknown }} */ (value)[kRspoolError] === true
    )
  }

  get [kRspoolError]() {
    return true
  }

  /** The link to the explanation of the code. */
  get url() {
    return urlOf(this.code)
  }
}
Object.defineProperty(RspoolError.prototype, 'name', { value: 'RspoolError', configurable: true, writable: true })

/**
 * @param {string} name
 * @param {string} code
 */
function errorClass(name, code) {
  const Class = {
    [name]: class extends RspoolError {
      /**
       * @param {string} message
       * @param {{ cause?: unknown }} [options]
       */
      constructor(message, options) {
        super(code, message, options)
      }
    }
  }[name]
  Object.defineProperty(Class.prototype, 'name', { value: name, configurable: true, writable: true })
  return Class
}

const TaskTimeoutError = errorClass('TaskTimeoutError', 'ERR_RSPOOL_TASK_TIMEOUT')
const QueueTimeoutError = errorClass('QueueTimeoutError', 'ERR_RSPOOL_QUEUE_TIMEOUT')
const DeadlineError = errorClass('DeadlineError', 'ERR_RSPOOL_DEADLINE')
const QueueFullError = errorClass('QueueFullError', 'ERR_RSPOOL_QUEUE_FULL')
const PoolClosedError = errorClass('PoolClosedError', 'ERR_RSPOOL_POOL_CLOSED')
const WorkerStartError = errorClass('WorkerStartError', 'ERR_RSPOOL_WORKER_START')
const UnknownTaskError = errorClass('UnknownTaskError', 'ERR_RSPOOL_UNKNOWN_TASK')
const DeadlockError = errorClass('DeadlockError', 'ERR_RSPOOL_DEADLOCK')
const InputTooLargeError = errorClass('InputTooLargeError', 'ERR_RSPOOL_INPUT_TOO_LARGE')
const TaskPanicError = errorClass('TaskPanicError', 'ERR_RSPOOL_TASK_PANIC')

/** The isolate that ran the task ended: `process.exit()` in the task, or `terminate()`. */
class WorkerExitError extends RspoolError {
  /**
   * @param {string} message
   * @param {number} exitCode
   */
  constructor(message, exitCode) {
    super('ERR_RSPOOL_WORKER_EXIT', message)
    this.exitCode = exitCode
  }
}
Object.defineProperty(WorkerExitError.prototype, 'name', {
  value: 'WorkerExitError',
  configurable: true,
  writable: true
})

/** An argument cannot be right. Constructors throw this error, and `run` rejects with it. */
class InvalidArgumentError extends TypeError {
  /**
   * @param {string} message
   * @param {{ cause?: unknown }} [options]
   */
  constructor(message, options) {
    super(message, options)
    this.code = 'ERR_RSPOOL_INVALID_ARGUMENT'
  }

  get [kRspoolError]() {
    return true
  }

  get url() {
    return urlOf(this.code)
  }
}
Object.defineProperty(InvalidArgumentError.prototype, 'name', {
  value: 'InvalidArgumentError',
  configurable: true,
  writable: true
})

/** As the platform's AbortError: `name` AbortError, `code` ABORT_ERR, the signal's reason as `cause`. */
class AbortError extends Error {
  /**
   * @param {unknown} [reason]
   * @param {string} [message]
   */
  constructor(reason, message = 'The task was aborted') {
    super(message, reason === undefined ? undefined : { cause: reason })
    this.code = 'ABORT_ERR'
  }

  get url() {
    return urlOf(this.code)
  }
}
Object.defineProperty(AbortError.prototype, 'name', { value: 'AbortError', configurable: true, writable: true })

/**
 * @param {string} message
 * @param {{ cause?: unknown }} [options]
 */
function invalidArgument(message, options) {
  return new InvalidArgumentError(message, options)
}

/** @type {Record<string, new (message: string) => Error>} */
const byCode = {
  ERR_RSPOOL_INVALID_ARGUMENT: InvalidArgumentError,
  ERR_RSPOOL_TASK_TIMEOUT: TaskTimeoutError,
  ERR_RSPOOL_QUEUE_TIMEOUT: QueueTimeoutError,
  ERR_RSPOOL_DEADLINE: DeadlineError,
  ERR_RSPOOL_DEADLOCK: DeadlockError,
  ERR_RSPOOL_QUEUE_FULL: QueueFullError,
  ERR_RSPOOL_POOL_CLOSED: PoolClosedError,
  ERR_RSPOOL_WORKER_START: WorkerStartError,
  ERR_RSPOOL_UNKNOWN_TASK: UnknownTaskError,
  ERR_RSPOOL_INPUT_TOO_LARGE: InputTooLargeError,
  ERR_RSPOOL_TASK_PANIC: TaskPanicError
}

/**
 * The error of a native task that failed, or of rspool in a worker.
 * @param {string} code
 * @param {string} message
 * @returns {Error}
 */
function fromCode(code, message) {
  if (code === 'ERR_RSPOOL_WORKER_EXIT') return new WorkerExitError(message, 0)
  const Class = Object.hasOwn(byCode, code) ? byCode[code] : undefined
  return Class === undefined ? new RspoolError(code, message) : new Class(message)
}

/** The classes for users. */
const classes = Object.freeze({
  RspoolError,
  TaskTimeoutError,
  QueueTimeoutError,
  DeadlineError,
  DeadlockError,
  QueueFullError,
  PoolClosedError,
  WorkerExitError,
  WorkerStartError,
  UnknownTaskError,
  InputTooLargeError,
  TaskPanicError,
  InvalidArgumentError,
  AbortError
})

module.exports = { ...classes, classes, fromCode, invalidArgument }
