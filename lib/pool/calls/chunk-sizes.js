'use strict'

// How many inputs of a mapping travel as one task: as many as make a millisecond of work, by the time
// that the latest chunks took.

/** Milliseconds of work that a chunk is to hold. */
const AIM = 1
const LARGEST = 4096
/** How much larger than the largest chunk so far the next may be. */
const GROWTH = 4

class ChunkSizes {
  #workers
  // Milliseconds and inputs of the latest chunks. Older chunks count less.
  #time = 0
  #count = 0
  #largest = 0

  /** @param {number} workers chunks that run at once */
  constructor(workers) {
    this.#workers = workers
  }

  /**
   * @param {number} ms that a chunk took
   * @param {number} count its inputs
   */
  measured(ms, count) {
    this.#time = this.#time / 2 + ms
    this.#count = this.#count / 2 + count
    if (count > this.#largest) this.#largest = count
  }

  /**
   * @param {number} left inputs that are still to come; NaN if not known
   * @returns {number}
   */
  next(left) {
    if (this.#count === 0) return 1
    const fitting = this.#time > 0 ? (AIM * this.#count) / this.#time : LARGEST
    const most = Math.min(fitting, LARGEST, GROWTH * this.#largest)
    // Towards the end chunks get so small that every worker has some.
    const fair = left >= 0 ? left / (2 * this.#workers) : most
    return Math.max(1, Math.floor(Math.min(most, fair)))
  }
}

module.exports = { ChunkSizes }
