'use strict'

// What of a caller's context has travelled with a task: the values of this isolate's own stores while the
// task runs, also after an await.

const { AsyncLocalStorage } = require('node:async_hooks')

/** @type {Map<string, AsyncLocalStorage<any>>} */
const stores = new Map()

/**
 * @param {string} name
 * @returns {AsyncLocalStorage<any>}
 */
function storeOf(name) {
  let store = stores.get(name)
  if (store === undefined) stores.set(name, (store = new AsyncLocalStorage()))
  return store
}

/** The stores by name, each made when it is first asked for. */
const context = new Proxy(Object.freeze(Object.create(null)), {
  // A module that is awaited asks for `then`.
  get: (_, name) => (typeof name === 'string' && name !== 'then' ? storeOf(name) : undefined)
})

/**
 * The function for inputs that have a context with them.
 * @param {(input: any) => any} run
 */
function within(run) {
  return (/** @type {[[string, any][], any]} */ [values, input]) => {
    let call = () => run(input)
    for (const [name, value] of values) {
      const inner = call
      call = () => storeOf(name).run(value, inner)
    }
    return call()
  }
}

module.exports = { context, within }
