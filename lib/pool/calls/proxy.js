'use strict'

// `pool.proxy`: the exports of the pool's script as functions. It knows no names: what is not there is
// told by the worker.

/** What the language itself asks objects for: it must not become a call. */
const NOT_CALLS = new Set(['then', 'toJSON'])

/**
 * @param {(name: string, input: any, options: any) => Promise<any>} call
 * @returns {any}
 */
function proxyOf(call) {
  /** @type {Map<string, Function>} */
  const functions = new Map()
  return new Proxy(Object.freeze(Object.create(null)), {
    get(_, name) {
      if (typeof name !== 'string' || NOT_CALLS.has(name)) return undefined
      let fn = functions.get(name)
      if (fn === undefined) {
        fn = (/** @type {any} */ input, /** @type {any} */ options) => call(name, input, options)
        Object.defineProperty(fn, 'name', { value: name })
        functions.set(name, fn)
      }
      return fn
    },
    has: (_, name) => typeof name === 'string' && !NOT_CALLS.has(name)
  })
}

module.exports = { proxyOf }
