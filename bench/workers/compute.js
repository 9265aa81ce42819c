'use strict'

function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2)
}

/** Keeps a core busy for a time, then counts itself as done. */
function spin({ ms, done }) {
  const end = performance.now() + ms
  while (performance.now() < end);
  Atomics.add(done, 0, 1)
}

module.exports = fibonacci
module.exports.spin = spin
