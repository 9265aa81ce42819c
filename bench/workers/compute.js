'use strict'

// The recursion of the tutorials, as a script or as a bare worker that answers messages.

const { parentPort, workerData } = require('node:worker_threads')

function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2)
}

if (workerData === 'bare') parentPort.on('message', (n) => parentPort.postMessage(fibonacci(n)))

module.exports = fibonacci
