'use strict'

// The ClusterProcess of this process, whichever copy of the package made it.

const kCurrent = Symbol.for('rspool.cluster.process')

/** @returns {import('./process').ClusterProcess|undefined} */
function current() {
  return /** @type {{ [kCurrent]?: import('./process').ClusterProcess }} */ (globalThis)[kCurrent]
}

/** @param {import('./process').ClusterProcess|undefined} value */
function setCurrent(value) {
  Object.defineProperty(globalThis, kCurrent, { value, configurable: true })
}

module.exports = { current, setCurrent }
