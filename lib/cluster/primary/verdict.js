'use strict'

// The consequence of a process' death for the cluster.

const { CrashWindow } = require('./backoff')

class Verdicts {
  #options
  #window
  #bootFailures = 0
  /** Whether any process has ever been ready. */
  everReady = false

  /** @param {import('../options').ClusterOptions} options */
  constructor(options) {
    this.#options = options
    this.#window = new CrashWindow(options.crashLoop.restarts ?? 5 * options.processes, options.crashLoop.window)
  }

  get bootFailures() {
    return this.#bootFailures
  }

  /** Deaths until now do not count for a crash loop. */
  forget() {
    this.#window.clear()
  }

  /**
   * 'no-boot': no process has ever been ready, and there were enough attempts. 'crash-loop': too many deaths, and no
   * process serves. 'hold': too many deaths, but other processes serve.
   * @param {boolean} othersReady
   * @returns {'restart'|'hold'|'no-boot'|'crash-loop'}
   */
  judge(othersReady) {
    if (!this.everReady) return ++this.#bootFailures >= this.#options.bootAttempts ? 'no-boot' : 'restart'
    if (!this.#window.note(performance.now())) return 'restart'
    return othersReady || this.#options.crashLoop.action === 'hold' ? 'hold' : 'crash-loop'
  }
}

module.exports = { Verdicts }
