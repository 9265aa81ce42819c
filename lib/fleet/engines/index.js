'use strict'

// Which engine a connection means.

const { MemoryEngine } = require('./memory')

/**
 * @param {string} name of the fleet
 * @param {{ connection?: unknown, prefix?: string | undefined }} options
 * @returns {import('../types').Engine}
 */
function openEngine(name, { connection, prefix }) {
  if (connection === undefined) return new MemoryEngine()
  const { engine } = /** @type {{ engine?: import('../types').Engine }} */ (connection ?? {})
  if (engine !== undefined) return engine
  return new (require('./bullmq').BullEngine)(name, connection, prefix)
}

module.exports = { openEngine }
