'use strict'

// Timers of any length. A timer of Node.js lasts for 24.8 days at most; a longer one fires at once.

// The timers as they were when the package was loaded: a program may replace them by timers that it runs by hand.
const { setTimeout, clearTimeout } = globalThis

const LONGEST = 2 ** 31 - 1

/**
 * Calls `then` after `ms` milliseconds, and never when that is Infinity.
 * @param {number} ms
 * @param {() => void} then
 * @param {{ ref?: boolean }} [options] `ref: false`: the timer does not keep the program alive
 * @returns {() => void} cancels the timer
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
 * As the promise, but rejects with the error of `late` if the promise takes longer than `ms` milliseconds.
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
 * A promise that `begin` resolves. If `signal` aborts before that, or `ms` milliseconds are over, `leave` is called,
 * and the promise rejects with the error of `aborted` or `late`.
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
