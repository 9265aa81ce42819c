'use strict'

const { bound } = require('../environment')

/** Times that the scheduler has measured: how long tasks of a pool waited (0) or ran (1). */
class PoolTimes {
  #handle
  #which

  /**
   * @param {number} handle
   * @param {number} which
   */
  constructor(handle, which) {
    this.#handle = handle
    this.#which = which
  }

  /** @returns {[number, number, number, [number, number][]]} */
  #read() {
    return JSON.parse(bound.times(this.#handle, this.#which, false))
  }

  get min() {
    return this.#read()[0]
  }

  get mean() {
    return this.#read()[1]
  }

  get stddev() {
    return this.#read()[2]
  }

  get max() {
    return this.#read()[3].at(-1)?.[0] ?? 0
  }

  get count() {
    return this.#read()[3].reduce((sum, [, count]) => sum + count, 0)
  }

  /** @param {number} percentile */
  percentile(percentile) {
    const buckets = this.#read()[3]
    let rank = Math.ceil((percentile / 100) * this.count)
    for (const [time, count] of buckets) if ((rank -= count) <= 0) return time
    return this.max
  }

  reset() {
    bound.resetTimes(this.#handle, this.#which)
  }
}

module.exports = { PoolTimes }
