'use strict'

// An isolate that owns a busy pool, and says when it is busy.

const { parentPort } = require('node:worker_threads')
const { busyPool } = require('./busy')

busyPool((count) => {
  if (count === 20) parentPort.postMessage('busy')
})
