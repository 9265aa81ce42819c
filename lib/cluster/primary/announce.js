'use strict'

// Every event of a supervisor is also published on the diagnostics channel `rspool:cluster:<event>`.

const diagnostics = require('node:diagnostics_channel')

/**
 * @param {import('node:events').EventEmitter} emitter
 * @param {string} name
 * @param {object} info
 */
function announce(emitter, name, info) {
  const channel = diagnostics.channel(`rspool:cluster:${name}`)
  if (channel.hasSubscribers) channel.publish(info)
  emitter.emit(name, info)
}

module.exports = { announce }
