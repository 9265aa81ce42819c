'use strict'

// The script of abort-and-timeouts.js.

const { parentPort } = require('node:worker_threads')
const { setTimeout: wait } = require('node:timers/promises')
const { task } = require('rspool/worker')

/** Synchronous, and yet it sees the abort: `aborted` reads shared memory. */
function polite() {
  parentPort?.postMessage('started')
  while (!task.signal?.aborted);
}

function endless() {
  for (;;);
}

/** @param {number} ms */
async function sleep(ms) {
  await wait(ms)
  return `slept ${ms} ms`
}

module.exports = { polite, endless, sleep }
