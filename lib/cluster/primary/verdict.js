'use strict'

// What the death of a process means for the cluster.

const { CrashWindow } = require('./backoff')

class Verdicts {
  #options
  #window
  #bootFailures = 0
  /** Has any process ever been ready? */
  everReady = false

  /** @param {import('../options').ClusterOptions} options */
  constructor(options) {
    this.#options = options
    this.#window = new CrashWindow(options.crashLoop.restarts ?? 5 * options.processes, options.crashLoop.window)
  }

  get bootFailures() {
    return this.#bootFailures
  }

  /** Deaths up to now are no part of a crash loop. */
  forget() {
    this.#window.clear()
  }

  /**
   * 'no-boot': nothing has ever been ready and there were attempts enough. 'crash-loop': too many
   * deaths, and nobody serves. 'hold': too many deaths, but others serve.
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
