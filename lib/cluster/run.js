'use strict'

// `cluster.run`: one call, in the primary and in its processes.

const cluster = require('./core')
const { isMainThread } = require('node:worker_threads')
const { RspoolError, invalidArgument } = require('../errors')
const { show } = require('../pool/options/validate')
const native = require('../native/load')
const { readClusterOptions } = require('./options')
const { makeSpec, resolveFile } = require('./primary/spec')
const { current } = require('./current')

/** @type {import('./primary/supervisor').Supervisor | import('./in-process').InProcessSupervisor | undefined} */
let supervisor

/**
 * In the primary: starts the processes, and returns their supervisor at once. In a process of the cluster: runs `main`
 * with the context, and returns the context.
 * @param {unknown} target
 * @param {unknown} [given]
 */
function run(target, given) {
  if (typeof target !== 'function' && typeof target !== 'string' && !(target instanceof URL)) {
    throw invalidArgument(`cluster.run: the first argument must be a function or a file, got ${show(target)}`)
  }
  const half = current()
  // A file that runs in this process may itself call `cluster.run` with its function, as in a process of its own.
  const mayRun = half?.place.inProcess !== true || (!half.place.awaitsMain && typeof target === 'function')
  if (half !== undefined && mayRun) {
    if (typeof target === 'function')
      return half.run(/** @type {import('./process').Main} */ (target), /** @type {{ sticky?: unknown }} */ (given))
    throw invalidArgument('cluster.run(file) was called in a process of a cluster; run the file in the primary only')
  }
  if (cluster.isWorker)
    throw new RspoolError('ERR_RSPOOL_NOT_PRIMARY', 'cluster.run() was called in a process that another helper forked')
  if (supervisor !== undefined && supervisor.status().state !== 'stopped') {
    throw new RspoolError(
      'ERR_RSPOOL_CLUSTER_RUNNING',
      'this program runs a cluster already; a second needs a primary of its own'
    )
  }
  if (native.Region === undefined) {
    throw new RspoolError(
      'ERR_RSPOOL_UNSUPPORTED',
      `the cluster helper works on Linux and macOS, and not on ${process.platform}`
    )
  }
  const options = readClusterOptions(given)
  const file = typeof target === 'function' ? undefined : resolveFile(target, 'cluster.run: the file')
  if (file !== undefined && typeof options.sticky === 'function') {
    throw invalidArgument(
      "cluster options: 'sticky' can be a function only with cluster.run(function), which every process calls with it"
    )
  }
  if (!isMainThread) throw new RspoolError('ERR_RSPOOL_NOT_PRIMARY', 'cluster.run() works in the main thread only')
  if (options.processes === 0) {
    const { InProcessSupervisor } = require('./in-process')
    supervisor = new InProcessSupervisor(file ?? /** @type {import('./process').Main} */ (target), options)
  } else {
    const { Supervisor } = require('./primary/supervisor')
    supervisor = new Supervisor(makeSpec(file, options), options)
  }
  return supervisor
}

module.exports = { run }
