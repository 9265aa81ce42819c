'use strict'

// `pool.exports`: the exports of the pool's script as functions. This side knows no names: the worker reports an export
// that does not exist.

/** Properties that the language itself reads of objects. They must not become calls. */
const NOT_CALLS = new Set(['then', 'toJSON'])

/** @typedef {(input?: unknown, options?: unknown) => Promise<unknown>} Call */
/** @typedef {Readonly<Record<string, Call>>} Exports */

/**
 * @param {(name: string, input: unknown, options: unknown) => Promise<unknown>} call
 * @returns {Exports}
 */
function exportsOf(call) {
  /** @type {Map<string, Call>} */
  const functions = new Map()
  return new Proxy(Object.freeze(Object.create(null)), {
    get(_, name) {
      if (typeof name !== 'string' || NOT_CALLS.has(name)) return undefined
      let fn = functions.get(name)
      if (fn === undefined) {
        fn = (input, options) => call(name, input, options)
        Object.defineProperty(fn, 'name', { value: name })
        functions.set(name, fn)
      }
      return fn
    },
    has: (_, name) => typeof name === 'string' && !NOT_CALLS.has(name)
  })
}

module.exports = { exportsOf }
