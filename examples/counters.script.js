'use strict'

// The script of counters.js: each isolate gets the counters once, as its workerData.

const { AtomicCounters } = require('rspool')
const { workerData } = require('rspool/worker')

const counters = AtomicCounters.from(workerData)

module.exports = (/** @type {number} */ n) => {
  counters.add(n % 2 === 0 ? 'even' : 'odd')
}
