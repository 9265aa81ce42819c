'use strict'

// Knows nothing of rspool.

const { parentPort } = require('node:worker_threads')

/** @param {number} n @returns {number} */
function fibonacci(n) {
  if (n < 0) throw new RangeError(`n must not be negative, got ${n}`)
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2)
}

parentPort?.on('message', (n) => parentPort?.postMessage(fibonacci(n)))
