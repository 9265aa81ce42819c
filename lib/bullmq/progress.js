'use strict'

// The progress of a job: one update at a time, and of those that come meanwhile only the latest. A script may
// report a thousand times a second; the engine is asked as often as it can answer.

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
      // Progress that cannot be told harms no job.
      await this.#job.updateProgress(this.#latest).catch(() => {})
    }
    this.#pending = false
  }
}

module.exports = { Progress }
