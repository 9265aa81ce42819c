'use strict'

// The progress of a job. One update is sent at a time; of those that are reported meanwhile, only the latest is sent.
// A script may report a thousand times per second, while the engine gets as many updates as it can answer.

class Progress {
  #job
  #pending = false
  #has = false
  /** @type {unknown} */
  #latest
  /** Settles when everything reported so far has been sent. @type {Promise<void>} */
  reported = Promise.resolve()

  /** @param {import('./types').Job} job */
  constructor(job) {
    this.#job = job
  }

  /** @param {unknown} value */
  report = (value) => {
    this.#latest = value
    this.#has = true
    if (this.#pending) return
    this.#pending = true
    this.reported = this.#send()
  }

  async #send() {
    while (this.#has) {
      this.#has = false
      // A progress update that fails must not fail the job.
      await this.#job.updateProgress(this.#latest).catch(() => {})
    }
    this.#pending = false
  }
}

module.exports = { Progress }
