'use strict'

// What a BullMQ worker needs if its processor is a pool: leases on the worker's own clock, as many jobs as the pool
// can run, redeliveries that are counted per job, a listener for errors, and a close with a time limit.

const { invalidArgument } = require('../errors')
const { later, pause, within } = require('../later')
const { show } = require('../pool/options/validate')
const { Leases } = require('./lease')
const { LEASE_OVER, LOCK_LOST, GIVE_BACK } = require('./special')

/**
 * @typedef {import('./types').Worker} Worker
 * @typedef {{ options: { maxThreads: number, concurrentTasksPerWorker: number } }} Capacity of a pool
 * @typedef {import('./types').Job} Job
 */

/** How often a job may be redelivered. BullMQ's 1 is too few: a crash counts for the jobs that ran beside it, too. */
const REDELIVERIES = 10
/** Milliseconds that running jobs have to finish when the worker is closed. */
const GRACE = 10_000

/**
 * @param {Worker} worker
 * @param {Capacity} pool
 */
function guard(worker, pool) {
  if (typeof worker?.extendJobLocks !== 'function' || typeof worker.cancelJob !== 'function')
    throw invalidArgument(`guard: the first argument must be a Worker of BullMQ 6, got ${show(worker)}`)
  const counts = { leasesOver: 0, locksLost: 0, errors: 0 }
  const leases = new Leases(worker.opts.lockDuration, (id) => {
    if (worker.cancelJob(id, LEASE_OVER)) counts.leasesOver++
  })
  fitCapacity(worker, pool)
  worker.opts.maxStalledCount = Math.max(worker.opts.maxStalledCount, REDELIVERIES)
  renewWithin(worker, leases)
  const listeners = {
    active: (/** @type {Job} */ job) => {
      fitCapacity(worker, pool)
      // `processedOn` is the time at which BullMQ sent the request that fetched the job.
      const age = Math.max(0, Date.now() - (job.processedOn ?? Date.now()))
      leases.begin(String(job.id), leases.now() - age)
    },
    completed: (/** @type {Job} */ job) => leases.finish(String(job.id)),
    failed: (/** @type {Job | undefined} */ job) => job !== undefined && leases.finish(String(job.id)),
    lockRenewalFailed: (/** @type {string[]} */ ids) => {
      for (const id of ids) if (worker.cancelJob(id, LOCK_LOST)) counts.locksLost++
    },
    error: () => {
      counts.errors++
    }
  }
  for (const [event, listener] of Object.entries(listeners)) worker.on(event, listener)
  /** @type {Promise<void> | undefined} */
  let closed
  return {
    stats: () => ({ ...counts, running: leases.size }),
    /** @param {{ grace?: number }} [options] */
    close({ grace = GRACE } = {}) {
      if (!(grace >= 0)) return Promise.reject(invalidArgument(`'grace' must be milliseconds, got ${show(grace)}`))
      closed ??= end(worker, grace).finally(() => leases.close())
      return closed
    }
  }
}

/**
 * Lets the worker take as many jobs as the pool can run. A job that waits here holds a lock, and could run elsewhere.
 * @param {Worker} worker
 * @param {Capacity} pool
 */
function fitCapacity(worker, { options: { maxThreads, concurrentTasksPerWorker } }) {
  const capacity = maxThreads * concurrentTasksPerWorker
  if (worker.concurrency !== capacity) worker.concurrency = capacity
}

/**
 * Notes when each renewal is sent, and gives up a renewal that is not answered. BullMQ itself would wait for ever.
 * @param {Worker} worker
 * @param {Leases} leases
 */
function renewWithin(worker, leases) {
  const extend = worker.extendJobLocks
  worker.extendJobLocks = async function extendJobLocks(ids, tokens, duration) {
    const sent = leases.now()
    const late = () => new Error(`The renewal of locks was not answered in ${duration} ms`)
    const lost = await within(duration, extend.call(this, ids, tokens, duration), late)
    for (const id of ids) if (!lost.includes(id)) leases.renew(id, sent)
    return lost
  }
}

/**
 * Lets running jobs finish within `grace`, then gives the rest back to the queue. If the engine does not answer, the wait
 * ends one lock duration later: by then another worker has the jobs anyway.
 * @param {Worker} worker
 * @param {number} grace milliseconds
 */
async function end(worker, grace) {
  const cancel = later(grace, () => worker.cancelAllJobs(GIVE_BACK))
  const silent = pause(grace + worker.opts.lockDuration)
  try {
    await Promise.race([worker.close(), silent.done])
  } finally {
    cancel()
    silent.stop()
  }
}

module.exports = { guard }
