'use strict'

// The cluster helper. Most of it is loaded at its first use.

module.exports = {
  /** @type {typeof import('./run').run} */
  run: (target, options) => require('./run').run(target, options),
  /** True in the program that starts the processes, and if there is no cluster. */
  get isPrimary() {
    return require('./core').isPrimary
  },
  /** The context of this process of a cluster, for files that `run(file)` started; undefined elsewhere. */
  get current() {
    return require('./current').current()?.context
  },
  get ClusterCounters() {
    return require('./counters').ClusterCounters
  }
}
