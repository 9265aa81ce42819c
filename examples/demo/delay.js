'use strict'

// How long the event loop keeps an event waiting, measured by a timer that should fire every
// `INTERVAL` milliseconds.

const { createHistogram, performance } = require('node:perf_hooks')

const INTERVAL = 1

/** @typedef {{ p50: number, p99: number, max: number, busy: number, samples: [number, number][] }} Delay */

/** Starts measuring; the function that it gives stops, and gives milliseconds. */
function measureDelay() {
  const waits = createHistogram({ lowest: 1, highest: 3_600_000_000, figures: 3 })
  /** @type {[number, number][]} */
  const samples = []
  const begin = performance.now()
  const utilization = performance.eventLoopUtilization()
  let last = begin
  const tick = () => {
    const now = performance.now()
    const late = Math.max(now - last - INTERVAL, 0)
    samples.push([now - begin, late])
    // An event comes at any moment: while the loop was blocked for 100 ms, one that came in the
    // middle waited 50 ms. Without these, a long block would count once, as a short one does.
    for (let wait = late; wait >= 0; wait -= INTERVAL) waits.record(Math.max(Math.round(wait * 1000), 1))
    last = now
  }
  const timer = setInterval(tick, INTERVAL)

  /** @returns {Delay} */
  return function stop() {
    clearInterval(timer)
    tick()
    return {
      p50: waits.percentile(50) / 1000,
      p99: waits.percentile(99) / 1000,
      max: waits.max / 1000,
      busy: performance.eventLoopUtilization(utilization).utilization,
      samples
    }
  }
}

module.exports = { measureDelay }
