'use strict'

// A task whose caller has a port to it. The other end is `task.port` while the function runs.

const { context } = require('./context')
const { promised } = require('./promised')

/** @type {WeakMap<object, import('node:worker_threads').MessagePort>} */
const ports = new WeakMap()

/**
 * The function, called with inputs that come with a port.
 * @param {(input: unknown) => unknown} run
 */
function withPort(run) {
  context.follow()
  return (/** @type {[import('node:worker_threads').MessagePort, unknown]} */ [port, input]) => {
    ports.set(/** @type {object} */ (context.current()), port)
    let value
    try {
      value = run(input)
    } catch (error) {
      port.close()
      throw error
    }
    const later = promised(value)
    if (later !== undefined) return closing(later, port)
    port.close()
    return value
  }
}

/**
 * @param {Promise<unknown>} promise
 * @param {import('node:worker_threads').MessagePort} port
 */
async function closing(promise, port) {
  try {
    return await promise
  } finally {
    port.close()
  }
}

/** @param {object | undefined} running */
function portOf(running) {
  return running && ports.get(running)
}

module.exports = { withPort, portOf }
