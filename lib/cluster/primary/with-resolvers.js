'use strict'

// `Promise.withResolvers`, which Node.js has since version 22.

/**
 * @template [T=void]
 * @returns {{ promise: Promise<T>, resolve: (value: T) => void, reject: (error: unknown) => void }}
 */
function withResolvers() {
  /** @type {(value: T) => void} */
  let resolve = () => {}
  /** @type {(error: unknown) => void} */
  let reject = () => {}
  const promise = new Promise((...both) => {
    ;[resolve, reject] = both
  })
  return { promise, resolve, reject }
}

module.exports = { withResolvers }
