'use strict'

// Runs in each isolate of a script lane: loads the script, then takes tasks from the scheduler. rspool never blocks the
// event loop of the isolate: between tasks it is idle, and it is rung when there is a task.

const { parentPort } = require('node:worker_threads')

if (parentPort !== null) parentPort.once('message', boot)

/** @param {import('./loop').Settings} settings the message of lib/pool/isolates/isolate.js */
function boot(settings) {
  // A rejection of this is uncaught: the isolate ends, and its owner sees why.
  return require('./loop').startWorker(settings)
}
