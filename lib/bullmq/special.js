'use strict'

// The errors by which a processor tells BullMQ what becomes of a job. BullMQ recognises them by their names, so they
// need not be BullMQ's own classes: an application may have several copies of those.

/** The job fails for good, however many attempts are left. */
class UnrecoverableError extends Error {
  /** @param {Error & { code?: string }} cause */
  constructor(cause) {
    super(cause.message, { cause })
    this.name = 'UnrecoverableError'
    if (cause.code !== undefined) this.code = cause.code
  }
}

/** The job has been given back to the queue. */
class WaitingError extends Error {
  name = 'WaitingError'
}

/** The job has been delayed. */
class DelayedError extends Error {
  name = 'DelayedError'
}

/** The reasons with which this package aborts a job. */
const LEASE_OVER = 'rspool: the lock of the job could not be renewed in time'
const LOCK_LOST = 'rspool: the lock of the job is lost'
const GIVE_BACK = 'rspool: the worker ends, and another takes the job'

module.exports = { UnrecoverableError, WaitingError, DelayedError, LEASE_OVER, LOCK_LOST, GIVE_BACK }
