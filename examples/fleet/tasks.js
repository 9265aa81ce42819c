'use strict'

// What the workers of the example run. Both sides of a fleet know tasks by their names only.

/** Counts the primes below `n`: some real work. @param {number} n */
exports.primes = (n) => {
  let count = 0
  for (let i = 2; i < n; i++) {
    let prime = true
    for (let d = 2; d * d <= i && prime; d++) prime = i % d !== 0
    if (prime) count++
  }
  return count
}
