'use strict'

// Times as piscina shows them: milliseconds, with these percentiles.

const { createHistogram } = require('node:perf_hooks')

const PERCENTILES = [0.001, 0.01, 0.1, 1, 2.5, 10, 25, 50, 75, 90, 97.5, 99, 99.9, 99.99, 99.999]

/** Times that are measured here if this code chooses the threads. They are kept in microseconds. */
class Times {
  #histogram = createHistogram()

  /** @param {number} ms */
  record(ms) {
    this.#histogram.record(Math.max(1, Math.trunc(ms * 1000)))
  }

  reset() {
    this.#histogram.reset()
  }

  get count() {
    return this.#histogram.count
  }

  get mean() {
    return this.#histogram.mean / 1000
  }

  get stddev() {
    return this.#histogram.stddev / 1000
  }

  get min() {
    return this.#histogram.min / 1000
  }

  get max() {
    return this.#histogram.max / 1000
  }

  /** @param {number} percentile */
  percentile(percentile) {
    return this.#histogram.percentile(percentile) / 1000
  }
}

/**
 * The source of the times that piscina shows, wherever they were measured; in milliseconds.
 * @typedef {object} Measured
 * @property {number} count
 * @property {number} mean
 * @property {number} stddev
 * @property {number} min
 * @property {number} max
 * @property {(percentile: number) => number} percentile
 * @property {() => void} reset
 */

/**
 * @param {Measured} times
 * @returns {Record<string, number>}
 */
function summary(times) {
  const { min, max, count } = times
  const [mean, stddev] = count === 0 ? [NaN, NaN] : [times.mean, times.stddev]
  const percentiles = PERCENTILES.map((each) => [`p${String(each).replace('.', '_')}`, times.percentile(each)])
  return { average: mean, mean, stddev, min, max, ...Object.fromEntries(percentiles) }
}

/**
 * Makes `piscina.histogram`.
 * @param {{ run: Measured, wait: Measured } | undefined} timing undefined if nothing is recorded
 */
function histogramOf(timing) {
  return {
    get runTime() {
      return timing && summary(timing.run)
    },
    get waitTime() {
      return timing && summary(timing.wait)
    },
    resetRunTime() {
      timing?.run.reset()
    },
    resetWaitTime() {
      timing?.wait.reset()
    }
  }
}

module.exports = { Times, summary, histogramOf }
