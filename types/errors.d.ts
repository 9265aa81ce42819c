/** Every error of a pool, and its code. */

/** The codes of a pool's errors. They are stable: match on `code`. */
export type ErrorCode =
  | 'ABORT_ERR'
  | 'ERR_RSPOOL_CORRUPT_INPUT'
  | 'ERR_RSPOOL_DEADLINE'
  | 'ERR_RSPOOL_DEADLOCK'
  | 'ERR_RSPOOL_INPUT_TOO_LARGE'
  | 'ERR_RSPOOL_INTERNAL'
  | 'ERR_RSPOOL_INVALID_ARGUMENT'
  | 'ERR_RSPOOL_NATIVE_NOT_FOUND'
  | 'ERR_RSPOOL_NOT_A_STREAM'
  | 'ERR_RSPOOL_NOT_SHAREABLE'
  | 'ERR_RSPOOL_NO_TASK'
  | 'ERR_RSPOOL_OUTPUT_TOO_LARGE'
  | 'ERR_RSPOOL_OUT_OF_MEMORY'
  | 'ERR_RSPOOL_PLUGIN_INCOMPATIBLE'
  | 'ERR_RSPOOL_PLUGIN_INVALID'
  | 'ERR_RSPOOL_PLUGIN_NOT_FOUND'
  | 'ERR_RSPOOL_POOL_CLOSED'
  | 'ERR_RSPOOL_QUEUE_FULL'
  | 'ERR_RSPOOL_QUEUE_TIMEOUT'
  | 'ERR_RSPOOL_TASK_EXISTS'
  | 'ERR_RSPOOL_TASK_FAILED'
  | 'ERR_RSPOOL_TASK_PANIC'
  | 'ERR_RSPOOL_TASK_TIMEOUT'
  | 'ERR_RSPOOL_TWO_COPIES'
  | 'ERR_RSPOOL_UNKNOWN_TASK'
  | 'ERR_RSPOOL_UNSUPPORTED'
  | 'ERR_RSPOOL_WORKER_EXIT'
  | 'ERR_RSPOOL_WORKER_START'

/** The classes of the errors. `docs/errors.md` says when each error occurs and what to do. */
export namespace errors {
  /** The class of every error of this package but `AbortError`, also across realms and copies of the package. */
  class RspoolError extends Error {
    protected constructor(code: string, message: string, options?: { cause?: unknown })
    /** The kind of the error. It stays the same between versions. */
    code: string
    /** The link to the explanation of the code in `docs/errors.md`. Not an own property. */
    readonly url: string
  }
  /** The task ran longer than its `timeout`. */
  class TaskTimeoutError extends RspoolError {
    protected constructor()
    /** The code of every error of this class. */
    code: 'ERR_RSPOOL_TASK_TIMEOUT'
  }
  /** The task waited longer than its `queueTimeout`, and did not run. */
  class QueueTimeoutError extends RspoolError {
    protected constructor()
    /** The code of every error of this class. */
    code: 'ERR_RSPOOL_QUEUE_TIMEOUT'
  }
  /** The task had not ended at its `deadline`. */
  class DeadlineError extends RspoolError {
    protected constructor()
    /** The code of every error of this class. */
    code: 'ERR_RSPOOL_DEADLINE'
  }
  /** `runSync` would never return. */
  class DeadlockError extends RspoolError {
    protected constructor()
    /** The code of every error of this class. */
    code: 'ERR_RSPOOL_DEADLOCK'
  }
  /** `maxQueue` tasks wait already, so this one was not taken. */
  class QueueFullError extends RspoolError {
    protected constructor()
    /** The code of every error of this class. */
    code: 'ERR_RSPOOL_QUEUE_FULL'
  }
  /** The pool is closed, or was destroyed before the task ended. */
  class PoolClosedError extends RspoolError {
    protected constructor()
    /** The code of every error of this class. */
    code: 'ERR_RSPOOL_POOL_CLOSED'
  }
  /** The isolate ended while it ran the task. */
  class WorkerExitError extends RspoolError {
    protected constructor()
    /** The code of every error of this class. */
    code: 'ERR_RSPOOL_WORKER_EXIT'
    /** The argument of `process.exit()`; 1 for a terminated isolate. */
    exitCode: number
    /** How often the task was started, if more than once; see {@link TaskOptions.retries}. */
    attempts?: number
  }
  /** No worker could be started; the reason is the `cause`. */
  class WorkerStartError extends RspoolError {
    protected constructor()
    /** The code of every error of this class. */
    code: 'ERR_RSPOOL_WORKER_START'
  }
  /** There is no task of this name; the message says where it was searched for. */
  class UnknownTaskError extends RspoolError {
    protected constructor()
    /** The code of every error of this class. */
    code: 'ERR_RSPOOL_UNKNOWN_TASK'
  }
  /** The input is larger than `maxInputSize` allows. */
  class InputTooLargeError extends RspoolError {
    protected constructor()
    /** The code of every error of this class. */
    code: 'ERR_RSPOOL_INPUT_TOO_LARGE'
  }
  /** A native task panicked: a bug in it. The process and the worker go on. */
  class TaskPanicError extends RspoolError {
    protected constructor()
    /** The code of every error of this class. */
    code: 'ERR_RSPOOL_TASK_PANIC'
  }
  /** An argument cannot be right. Constructors throw this error, and tasks reject with it. */
  class InvalidArgumentError extends TypeError {
    protected constructor()
    /** The code of every error of this class. */
    code: 'ERR_RSPOOL_INVALID_ARGUMENT'
  }
  /** The task's signal aborted; its reason is the `cause`. */
  class AbortError extends Error {
    protected constructor()
    /** As of the errors of `AbortController` in Node.js. */
    name: 'AbortError'
    /** As of the errors of `AbortController` in Node.js. */
    code: 'ABORT_ERR'
  }
}
