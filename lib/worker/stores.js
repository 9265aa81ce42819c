'use strict'

// The part of the caller's context that has travelled with a task. This isolate's own stores have these values while
// the task runs, also after an await. The values travel on with the nested calls of the task.

const { AsyncLocalStorage } = require('node:async_hooks')
const { valuesOf } = require('../pool/task/carry')
const { context: tasks } = require('./context')

/** @type {Record<string, AsyncLocalStorage<unknown>>} */
const stores = Object.create(null)

/**
 * @param {string} name
 * @returns {AsyncLocalStorage<unknown>}
 */
function storeOf(name) {
  tasks.travelling = travelling
  return (stores[name] ??= new AsyncLocalStorage())
}

/**
 * The values that travel with a nested call made now.
 * @param {Record<string, unknown> | undefined} given
 * @returns {Record<string, unknown> | undefined}
 */
function travelling(given) {
  const values = valuesOf(stores, given)
  return values && Object.fromEntries(values)
}

/** The stores by name. Each is made when it is first read. */
const context = new Proxy(Object.freeze(Object.create(null)), {
  // An `await` of a module reads its `then`.
  get: (_, name) => (typeof name === 'string' && name !== 'then' ? storeOf(name) : undefined)
})

/**
 * Wraps the function for inputs that come with a context.
 * @param {import('./script').Run} run
 */
function within(run) {
  return (/** @type {[[string, unknown][], unknown]} */ [values, input]) => {
    let call = () => run(input)
    for (const [name, value] of values) {
      const inner = call
      call = () => storeOf(name).run(value, inner)
    }
    return call()
  }
}

module.exports = { context, within }
