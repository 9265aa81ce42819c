'use strict'

// `cluster.run`: one call, in the primary and in its processes.

const cluster = require('./core')
const { isMainThread } = require('node:worker_threads')
const { RspoolError, invalidArgument } = require('../errors')
const { show } = require('../validate')
const { readClusterOptions } = require('./options')
const { makeSpec, resolveFile } = require('./spec')
const { current } = require('./boot')

/** @type {any} */
let supervisor

/**
 * In the primary: starts the processes and returns their supervisor at once. In a process of the
 * cluster: runs `main` with the context, and returns that context.
 * @param {unknown} target
 * @param {unknown} [given]
 */
function run(target, given) {
  if (typeof target !== 'function' && typeof target !== 'string' && !(target instanceof URL)) {
    throw invalidArgument(`cluster.run: the first argument must be a function or a file, got ${show(target)}`)
  }
  const half = current()
  if (half !== undefined && half.place.inProcess !== true) {
    if (typeof target === 'function') return half.run(target)
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
  const options = readClusterOptions(given)
  const file = typeof target === 'function' ? undefined : resolveFile(target, 'cluster.run: the file')
  if (!isMainThread) throw new RspoolError('ERR_RSPOOL_NOT_PRIMARY', 'cluster.run() works in the main thread only')
  if (options.processes === 0) {
    const { InProcessSupervisor } = require('./in-process')
    supervisor = new InProcessSupervisor(file ?? target, options)
  } else {
    const { Supervisor } = require('./supervisor')
    supervisor = new Supervisor(makeSpec(file, options), options)
  }
  return supervisor
}

module.exports = { run }
