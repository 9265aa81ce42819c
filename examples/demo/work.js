'use strict'

// The CPU work that a visitor fires: plain JavaScript, the same on the main thread and in the pool.

/**
 * Counts the primes below a limit by trial division.
 * @param {number} limit
 */
module.exports = function countPrimes(limit) {
  if (!(limit > 0)) throw new RangeError(`primes are counted below a number above 0, got ${limit}`)
  let count = 0
  for (let candidate = 2; candidate < limit; candidate++) {
    let prime = true
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) {
      if (candidate % divisor === 0) {
        prime = false
        break
      }
    }
    if (prime) count++
  }
  return count
}
