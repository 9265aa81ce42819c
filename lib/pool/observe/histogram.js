'use strict'

// `pool.histogram`: how long tasks wait and run. Rust measures this for each task anyway; this code reads it.

const { invalidArgument } = require('../../errors')
const { show } = require('../options/validate')

const WAIT = 0
const RUN = 1

/** Times in milliseconds, each with its count, the shortest first. */
class Distribution {
  // A property that somebody adds to Object.prototype must not appear as a field.
  static {
    Object.setPrototypeOf(this.prototype, null)
  }

  /** @param {string} text of the native function */
  constructor(text) {
    const [min, mean, stddev, buckets] = JSON.parse(text)
    this.min = min
    this.mean = mean
    this.stddev = stddev
    /** @type {[number, number][]} */
    this.buckets = buckets
    this.count = 0
    for (const [, count] of this.buckets) this.count += count
    this.max = this.buckets.at(-1)?.[0] ?? 0
  }

  /** The time that `percent` of the tasks did not exceed. @param {number} percent */
  at(percent) {
    if (percent === 0) return this.min
    const rank = Math.max(1, Math.ceil((percent / 100) * this.count))
    let sum = 0
    for (const [time, count] of this.buckets) if ((sum += count) >= rank) return time
    return this.max
  }
}

/** One histogram. The pool says how to read it, which differs after its end. */
class Histogram {
  #read
  #reset

  /**
   * @param {() => Distribution} read
   * @param {() => void} reset
   */
  constructor(read, reset) {
    this.#read = read
    this.#reset = reset
  }

  get count() {
    return this.#read().count
  }

  get min() {
    return this.#read().min
  }

  get max() {
    return this.#read().max
  }

  get mean() {
    return this.#read().mean
  }

  get stddev() {
    return this.#read().stddev
  }

  /**
   * @param {number} percent above 0, up to 100
   * @returns {number} milliseconds
   */
  percentile(percent) {
    if (typeof percent !== 'number' || !(percent > 0 && percent <= 100))
      throw invalidArgument(`percentile: must be a number above 0 and up to 100, got ${show(percent)}`)
    return this.#read().at(percent)
  }

  /** As in the histograms of Node.js: 0, 50, 75, 87.5 and so on, each time half of the rest, and 100. */
  get percentiles() {
    const times = this.#read()
    const all = new Map([[0, times.min]])
    for (let rest = 50; times.count > 0 && (rest * times.count) / 100 >= 1; rest /= 2)
      all.set(100 - rest, times.at(100 - rest))
    return all.set(100, times.max)
  }

  /** Begins anew. `waitTime` and `runTime` of the statistics begin anew, too. */
  reset() {
    this.#reset()
  }

  toJSON() {
    const { min, max, mean, stddev, count } = this.#read()
    return { count, min, max, mean, stddev, percentiles: Object.fromEntries(this.percentiles) }
  }
}

/** Both histograms of a pool. */
class Histograms {
  #pool
  /** The distributions at the end of the pool. @type {Map<number, Distribution> | undefined} */
  #last
  /** @type {Histogram} */
  wait
  /** @type {Histogram} */
  run

  /** @param {import('../../native/addon').NativePool} native */
  constructor(native) {
    this.#pool = native
    this.wait = this.#histogram(WAIT)
    this.run = this.#histogram(RUN)
    Object.freeze(this)
  }

  /** @param {number} what */
  #histogram(what) {
    return new Histogram(
      () => this.#read(what),
      () => {
        if (this.#last === undefined) this.#pool.resetTimes(what)
        else this.#last.set(what, new Distribution('[0,0,0,[]]'))
      }
    )
  }

  /** @param {number} what */
  #read(what) {
    return this.#last?.get(what) ?? new Distribution(this.#pool.times(what))
  }

  /**
   * The pool is about to end, and its handle with it.
   * @param {Histograms} histograms
   */
  static keep(histograms) {
    histograms.#last = new Map([WAIT, RUN].map((what) => [what, histograms.#read(what)]))
  }
}

module.exports = { Histograms }
