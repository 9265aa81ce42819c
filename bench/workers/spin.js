'use strict'

// Tasks that keep a core busy for a number of milliseconds and then count themselves as done. They run as a script of
// rspool or, with `next` in the data, in a bare worker with its own loop over a preloaded list.

const { workerData } = require('node:worker_threads')

const { done, next, go } = workerData

/** @param {number} ms */
function spin(ms) {
  const end = performance.now() + ms
  while (performance.now() < end);
  Atomics.add(done, 0, 1)
}

if (next !== undefined) {
  for (let round = 0; ; round++) {
    Atomics.wait(go, 0, round)
    while (Atomics.sub(next, 0, 1) > 0) spin(1)
  }
}

module.exports = spin
