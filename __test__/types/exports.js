'use strict'

// The names that the entries export as values: a type test compares them with the declarations, a
// test of the package with what there is.

module.exports = {
  main: /** @type {const} */ ([
    'AtomicCounters',
    'Pool',
    'SharedMap',
    'WorkerPool',
    'cluster',
    'cpuCount',
    'errors',
    'lend',
    'loadTasks',
    'metrics',
    'move',
    'runTask',
    'runTaskSync',
    'shareCpu',
    'tasks'
  ]),
  worker: /** @type {const} */ ([
    'context',
    'isWorkerThread',
    'move',
    'run',
    'runTask',
    'task',
    'threadId',
    'workerData'
  ]),
  errors: /** @type {const} */ ([
    'AbortError',
    'DeadlineError',
    'DeadlockError',
    'InputTooLargeError',
    'InvalidArgumentError',
    'PoolClosedError',
    'QueueFullError',
    'QueueTimeoutError',
    'RspoolError',
    'TaskPanicError',
    'TaskTimeoutError',
    'UnknownTaskError',
    'WorkerExitError',
    'WorkerStartError'
  ])
}
