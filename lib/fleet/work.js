'use strict'

// A worker of the fleet, as the program that starts it sees it. With a connection, engine and pool live in a thread of
// their own, so no lock is lost when the program's event loop is blocked. Without one, both are in this thread.

const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { invalidArgument, RspoolError } = require('../errors')
const { revive } = require('../payload/thrown')
const { Pool } = require('../pool/pool')
const { show } = require('../pool/options/validate')
const { Host } = require('./host')

const THREAD = path.join(__dirname, 'host-thread.js')

/** Milliseconds that running tasks get to end when the worker is closed. */
const GRACE = 10_000

/**
 * The settings of the fleet that the thread needs.
 * @typedef {object} FleetSettings
 * @property {string | undefined} secret
 * @property {number} resultTtl
 * @property {unknown} connection
 * @property {string | undefined} prefix
 * @property {number | undefined} maxInputSize
 * @property {string | undefined} store the module of a store
 * @property {boolean} ownStore whether the user gave one
 */

/**
 * @typedef {object} WorkStats
 * @property {number} running
 * @property {number} started
 * @property {number} redelivered
 * @property {number} quarantined
 * @property {number} finished
 * @property {number} busyMs milliseconds that tasks have run, summed over them
 * @property {number} capacity tasks at once
 * @property {number} leasesOver
 * @property {number} locksLost
 * @property {number} errors of the engine
 */

/**
 * A worker.
 * @typedef {object} Work
 * @property {Promise<void>} ready resolves when it takes tasks
 * @property {() => Promise<WorkStats>} stats
 * @property {(options?: { grace?: number }) => Promise<void>} close
 */

/**
 * @param {object} parts
 * @param {string} parts.name
 * @param {import('./types').Engine | undefined} parts.engine the engine of a fleet without a connection
 * @param {InstanceType<typeof import('./values').Values>} parts.values
 * @param {FleetSettings} parts.fleet
 * @param {import('./types').WorkOptions} parts.options
 * @returns {Work}
 */
function startWork({ name, engine, values, fleet, options }) {
  if (options.pool instanceof Pool)
    throw invalidArgument(
      "work: 'pool' takes the options of a pool, as in { filename: './tasks.js' }, and makes the pool itself: a thread of its own runs it"
    )
  const { grace = GRACE } = options
  return engine === undefined ? inThread(name, fleet, options, grace) : inPlace(engine, values, fleet, options, grace)
}

/**
 * @param {import('./types').Engine} engine
 * @param {InstanceType<typeof import('./values').Values>} values
 * @param {FleetSettings} fleet
 * @param {import('./types').WorkOptions} options
 * @param {number} usualGrace
 * @returns {Work}
 */
function inPlace(engine, values, fleet, options, usualGrace) {
  const host = new Host(engine, values, fleet, options)
  return {
    ready: host.ready,
    stats: async () => host.stats(),
    close: ({ grace = usualGrace } = {}) => host.close(grace)
  }
}

/**
 * @param {string} name
 * @param {FleetSettings} fleet
 * @param {import('./types').WorkOptions} options
 * @param {number} usualGrace
 * @returns {Work}
 */
function inThread(name, fleet, options, usualGrace) {
  if (fleet.ownStore && fleet.store === undefined)
    throw invalidArgument(
      "work: a store cannot be handed to the worker's thread: give the fleet the path of a module that exports it"
    )
  let thread
  try {
    thread = new Worker(THREAD, { workerData: { name, fleet, options }, name: `rspool fleet ${name}` })
  } catch (cause) {
    throw invalidArgument(`work: the options cannot be handed to its thread: ${show(cause)}`, { cause })
  }
  const worker = thread
  /** @type {Map<number, { resolve: (value: never) => void, reject: (error: unknown) => void }>} */
  const asked = new Map()
  let last = 0
  /** @type {(error: unknown) => void} */
  let fail = () => {}
  const ready = new Promise((resolve, reject) => {
    fail = reject
    asked.set(0, { resolve: () => resolve(undefined), reject })
  })
  ready.catch(() => {})
  worker.on('message', (/** @type {[number, boolean, never]} */ [id, fine, value]) => {
    const promise = asked.get(id)
    asked.delete(id)
    if (fine) promise?.resolve(value)
    else promise?.reject(revive(value))
  })
  worker.on('error', (error) => fail(error))
  const exited = new Promise((resolve) => {
    worker.on('exit', () => {
      const gone = new RspoolError('ERR_RSPOOL_WORKER_LOST', 'The thread of the worker has ended')
      for (const { reject } of asked.values()) reject(gone)
      asked.clear()
      resolve(undefined)
    })
  })
  const ask = (/** @type {string} */ what, /** @type {number | undefined} */ about = undefined) =>
    new Promise((resolve, reject) => {
      asked.set(++last, { resolve, reject })
      worker.postMessage([last, what, about])
    })
  /** @type {Promise<void> | undefined} */
  let closed
  return {
    ready: /** @type {Promise<void>} */ (ready),
    stats: () => /** @type {Promise<WorkStats>} */ (ask('stats')),
    close: ({ grace = usualGrace } = {}) =>
      (closed ??= ask('close', grace)
        .catch(() => {})
        .then(() => worker.terminate())
        .then(() => exited)
        .then(() => undefined))
  }
}

module.exports = { startWork }
