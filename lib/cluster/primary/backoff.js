'use strict'

// How long the slot of a dead process waits, and how many deaths are a crash loop.

/**
 * The wait before restart number `failures` in a row that was not stable: nothing for the first,
 * then `initial` times `factor` to the power, up to `max`, each ± `jitter` of itself.
 * @param {number} failures 0 for the first
 * @param {{ initial: number, max: number, factor: number, jitter: number }} options
 * @param {() => number} [random]
 */
function backoffDelay(failures, { initial, max, factor, jitter }, random = Math.random) {
  if (failures <= 0) return 0
  const delay = Math.min(initial * factor ** (failures - 1), max)
  return delay * (1 + jitter * (2 * random() - 1))
}

/** Counts deaths in a moving window. */
class CrashWindow {
  #times = /** @type {number[]} */ ([])
  #restarts
  #window

  /** @param {number} restarts @param {number} window milliseconds */
  constructor(restarts, window) {
    this.#restarts = restarts
    this.#window = window
  }

  clear() {
    this.#times = []
  }

  /** Notes a death. True if there were more than allowed. @param {number} now */
  note(now) {
    this.#times.push(now)
    while (this.#times.length > 0 && now - this.#times[0] > this.#window) this.#times.shift()
    return this.#times.length > this.#restarts
  }
}

module.exports = { backoffDelay, CrashWindow }
