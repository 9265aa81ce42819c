'use strict'

// Where other parts of the package take part in the life of a process, without knowing the helper.

/** @type {Set<() => unknown>} */
const drainHooks = new Set()
/** @type {Set<() => { queued: number, running: number }>} */
const poolReadings = new Set()

/**
 * Lets a part of the package finish its work in every drain of this process, before the hooks of the
 * user. The function may give a promise, which has the rest of the grace.
 * @param {() => unknown} hook
 * @returns {() => void} takes the hook away
 */
function addDrainHook(hook) {
  drainHooks.add(hook)
  return () => {
    drainHooks.delete(hook)
  }
}

/**
 * Lets the status of a cluster show the tasks of this process. The function is called some times a second.
 * @param {() => { queued: number, running: number }} reading
 * @returns {() => void} takes it away
 */
function addPoolReading(reading) {
  poolReadings.add(reading)
  return () => {
    poolReadings.delete(reading)
  }
}

/** The sum of what the readings give. */
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
