'use strict'

// What of a caller's context has travelled with a task: the values of this isolate's own stores while the
// task runs, also after an await. They travel on with the calls that it makes itself.

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
 * What travels on with a call that is made now.
 * @param {Record<string, unknown> | undefined} given
 * @returns {Record<string, unknown> | undefined}
 */
function travelling(given) {
  const values = valuesOf(stores, given)
  return values && Object.fromEntries(values)
}

/** The stores by name, each made when it is first asked for. */
const context = new Proxy(Object.freeze(Object.create(null)), {
  // A module that is awaited asks for `then`.
  get: (_, name) => (typeof name === 'string' && name !== 'then' ? storeOf(name) : undefined)
})

/**
 * The function for inputs that have a context with them.
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
