'use strict'

// The cluster helper. Most of it is loaded by the first use.

const { addDrainHook, addPoolReading } = require('./hooks')

module.exports = {
  /** @type {typeof import('./run').run} */
  run: (target, options) => require('./run').run(target, options),
  /** True in the program that starts the processes, and where there is no cluster. */
  get isPrimary() {
    return require('./core').isPrimary
  },
  /** In a process of a cluster its context, elsewhere undefined: for files that `run(file)` started. */
  get current() {
    return require('./boot').current()?.context
  },
  get ClusterCounters() {
    return require('./counters').ClusterCounters
  },
  addDrainHook,
  addPoolReading
}
