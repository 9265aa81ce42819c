'use strict'

// Timers of any length. Core's last for 24.8 days at most, and one that is to last longer is over at once.

// As they were when the package was loaded: a program may replace them, and turn its own by hand.
const { setTimeout, clearTimeout } = globalThis

const LONGEST = 2 ** 31 - 1

/**
 * Calls `then` after `ms` milliseconds, and never when that is Infinity.
 * @param {number} ms
 * @param {() => void} then
 * @param {{ ref?: boolean }} [options] `ref: false`: the program need not stay for it
 * @returns {() => void} takes it back
 */
function later(ms, then, { ref = true } = {}) {
  /** @type {NodeJS.Timeout|undefined} */
  let timer
  const arm = (/** @type {number} */ left) => {
    const next = Math.min(left, LONGEST)
    timer = setTimeout(() => (left > next ? arm(left - next) : then()), next)
    if (!ref) timer.unref()
  }
  if (ms !== Infinity) arm(ms)
  return () => clearTimeout(timer)
}

/**
 * A promise that resolves after `ms` milliseconds, or when it is stopped.
 * @param {number} ms
 * @param {{ ref?: boolean }} [options]
 */
function pause(ms, options) {
  let stop = () => {}
  const done = /** @type {Promise<void>} */ (
    new Promise((resolve) => {
      const cancel = later(ms, resolve, options)
      stop = () => {
        cancel()
        resolve()
      }
    })
  )
  return { done, stop }
}

/**
 * As the promise, unless that takes longer than `ms` milliseconds: then it rejects with what `late` makes.
 * @template T
 * @param {number} ms
 * @param {Promise<T>} promise
 * @param {() => Error} late
 * @returns {Promise<T>}
 */
function within(ms, promise, late) {
  return new Promise((resolve, reject) => {
    const cancel = later(ms, () => reject(late()))
    promise.then(resolve, reject).finally(cancel)
  })
}

/**
 * A promise whose maker settles it, unless `signal` is aborted before, or `ms` milliseconds are over. Then `leave` is
 * called, and it rejects with what `aborted` or `late` makes.
 * @template T
 * @param {{ ms: number, signal?: AbortSignal | undefined, aborted: (reason: unknown) => Error, late: () => Error, leave: () => void }} limits
 * @param {(resolve: (value: T) => void) => void} begin
 * @returns {Promise<T>}
 */
function unlessGivenUp({ ms, signal, aborted, late, leave }, begin) {
  return new Promise((resolve, reject) => {
    const settle = () => {
      cancel()
      signal?.removeEventListener('abort', onAbort)
    }
    const giveUp = (/** @type {Error} */ error) => {
      settle()
      leave()
      reject(error)
    }
    const onAbort = () => giveUp(aborted(signal?.reason))
    const cancel = later(ms, () => giveUp(late()))
    signal?.addEventListener('abort', onAbort, { once: true })
    begin((value) => {
      settle()
      resolve(value)
    })
  })
}

module.exports = { later, pause, within, unlessGivenUp }
