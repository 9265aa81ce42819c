'use strict'

// Runs in every process of a cluster before the application does. In other places (threads, grandchildren that inherit
// the arguments) it does nothing.

const { isMainThread } = require('node:worker_threads')

const settings = process.env.RSPOOL_CLUSTER
if (settings !== undefined && isMainThread && process.send !== undefined) {
  delete process.env.RSPOOL_CLUSTER
  const at = process.execArgv.indexOf(__filename)
  if (at > 0) process.execArgv.splice(at - 1, 2)
  require('./boot').boot(JSON.parse(settings))
}
