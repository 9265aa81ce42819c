'use strict'

/**
 * Random numbers that depend only on a seed (mulberry32, by Tommy Ettinger, public domain).
 * @param {number} seed
 */
function randomFrom(seed) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    /** A number from 0 to below 1. */
    next,
    /** A whole number from 0 to below `n`. @param {number} n */
    below: (n) => Math.floor(next() * n)
  }
}

module.exports = { randomFrom }
