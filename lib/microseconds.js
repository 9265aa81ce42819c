'use strict'

// As they were when the package was loaded: a program may replace them.
const now = performance.now.bind(performance)
const origin = Number(process.hrtime.bigint() / 1000n) - now() * 1000

/** The monotonic clock of the machine, in whole microseconds: it is the same in all processes. */
const microseconds = () => Math.floor(origin + now() * 1000)

module.exports = { microseconds }
