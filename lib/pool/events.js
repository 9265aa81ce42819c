'use strict'

// The events of a pool, for its listeners and for diagnostics channels.

const { soon } = require('../native/environment')
const { show } = require('./options/validate')
const { workers } = require('./observe/watch')

/** @typedef {import('node:events').EventEmitter} EventEmitter */

class Events {
  #pool
  #label
  #scope

  /**
   * @param {EventEmitter} pool
   * @param {string} label
   * @param {import('node:async_hooks').AsyncResource} scope the context in which the pool was made
   */
  constructor(pool, label, scope) {
    this.#pool = pool
    this.#label = label
    this.#scope = scope
  }

  /**
   * Listeners do not run while tasks settle: an error that a listener throws is uncaught, as it should be, and harms no
   * task.
   * @param {string} event
   * @param {unknown[]} args
   */
  emit(event, ...args) {
    const pool = this.#pool
    if (pool.listenerCount(event) > 0) soon(() => this.#scope.runInAsyncScope(pool.emit, pool, event, ...args))
    const channel = workers[/** @type {keyof typeof workers} */ (event)]
    if (channel?.hasSubscribers) channel.publish({ pool, .../** @type {object} */ (args[0]) })
  }

  /**
   * @param {unknown} error that no task is told of
   * @param {string} what of a worker
   */
  complain(error, what = 'failed while it ran no task') {
    if (this.#pool.listenerCount('error') > 0) this.emit('error', error)
    else process.emitWarning(`A worker of the pool '${this.#label}' ${what}: ${show(error)}`, 'RspoolWarning')
  }
}

module.exports = { Events }
