'use strict'

// Hooks by which other parts of the package take part in the life of a process, without knowing the cluster helper.

/** @type {Set<() => unknown>} */
const drainHooks = new Set()
/** @type {Set<() => { queued: number, running: number }>} */
const poolReadings = new Set()

/**
 * Lets a part of the package finish its work in every drain of this process, before the hooks of the
 * user. The function may return a promise, which gets the rest of the grace.
 * @param {() => unknown} hook
 * @returns {() => void} removes the hook
 */
function addDrainHook(hook) {
  drainHooks.add(hook)
  return () => {
    drainHooks.delete(hook)
  }
}

/**
 * Lets the status of a cluster show the tasks of this process. The function is called several times per second.
 * @param {() => { queued: number, running: number }} reading
 * @returns {() => void} removes the function
 */
function addPoolReading(reading) {
  poolReadings.add(reading)
  return () => {
    poolReadings.delete(reading)
  }
}

/** The sum of the readings. */
function readPools() {
  const sum = { queued: 0, running: 0 }
  for (const reading of poolReadings) {
    const { queued, running } = reading()
    sum.queued += queued
    sum.running += running
  }
  return sum
}

module.exports = { addDrainHook, addPoolReading, readPools, drainHooks }
