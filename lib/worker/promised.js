'use strict'

// A result that comes later, as a native promise. A thenable is treated as by `await`.

const { types } = require('node:util')

const { apply } = Reflect
const promiseThen = Promise.prototype.then

/**
 * @param {unknown} value
 * @returns {Promise<unknown> | undefined} a native promise, which settles once; undefined if the value is there already
 */
function promised(value) {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return undefined
  // Reads `then` once, as `await` does.
  const { then } = /** @type {{ then?: unknown }} */ (value)
  if (typeof then !== 'function') return undefined
  if (then === promiseThen && types.isPromise(value)) return value
  // A foreign thenable may call back twice, or at once. A promise that follows it settles once, and later.
  return new Promise((resolve, reject) => {
    const adopt = () => apply(then, value, [resolve, reject])
    follow(Promise.resolve(), adopt).catch(reject)
  })
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {(value: T) => unknown} fulfilled
 * @param {(error: unknown) => unknown} [rejected]
 * @returns {Promise<unknown>}
 */
function follow(promise, fulfilled, rejected) {
  return apply(promiseThen, promise, [fulfilled, rejected])
}

module.exports = { follow, promised }
