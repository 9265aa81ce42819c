'use strict'

// What runs in each isolate of a script lane: loads the script, then pulls tasks from the scheduler.
// Its event loop is never blocked by rspool: between tasks it is idle, and rung when there is one.

const { parentPort } = require('node:worker_threads')

if (parentPort !== null) parentPort.once('message', boot)

/** @param {import('./loop').Settings} settings what lib/pool/isolates/isolate.js sends */
function boot(settings) {
  // What this rejects with is uncaught: the isolate ends, and its owner sees why.
  return require('./loop').startWorker(settings)
}
