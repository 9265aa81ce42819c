'use strict'

// Chooses the engine for a connection.

const { MemoryEngine } = require('./memory')

/**
 * @param {string} name of the fleet
 * @param {{ connection?: unknown, prefix?: string | undefined }} options
 * @param {boolean} [patient] whether calls wait for an engine that is away
 * @returns {import('../types').Engine}
 */
function openEngine(name, { connection, prefix }, patient) {
  if (connection === undefined) return new MemoryEngine()
  const { engine } = /** @type {{ engine?: import('../types').Engine }} */ (connection ?? {})
  if (engine !== undefined) return engine
  return new (require('./bullmq').BullEngine)(name, connection, prefix, patient)
}

module.exports = { openEngine }
