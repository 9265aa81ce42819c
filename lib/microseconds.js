'use strict'

// The clocks as they were when the package was loaded: a program may replace them.
const now = performance.now.bind(performance)
const origin = Number(process.hrtime.bigint() / 1000n) - now() * 1000

/** The monotonic clock of the machine, in whole microseconds: it is the same in all processes. */
const microseconds = () => Math.floor(origin + now() * 1000)

/**
 * The time of this clock as a value of `now()`, in whole milliseconds; undefined for 0, which means never, and for a time
 * beyond the range of small integers.
 * @param {number} microseconds
 */
function millisecondsAt(microseconds) {
  const ms = Math.floor((microseconds - origin) / 1000)
  return microseconds === 0 || ms >= 2 ** 30 ? undefined : ms
}

module.exports = { microseconds, now, millisecondsAt }
