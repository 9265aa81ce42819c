'use strict'

// What the specs of observation share: the channels of tasks, and what they tell of one pool.

const { subscribe, unsubscribe } = require('node:diagnostics_channel')

const PLAIN = ['queue', 'start', 'end', 'error'].map((name) => `rspool:task:${name}`)
const TRACING = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((name) => `tracing:rspool:task:${name}`)

/** What the channels tell of a pool, until the end of the test: `[channel, message]`. */
function listenTo(t, pool, names, onMessage = () => {}) {
  const log = []
  for (const name of names) {
    const listener = (message) => {
      if (message.pool !== pool) return
      log.push([name, message])
      onMessage(message)
    }
    subscribe(name, listener)
    t.teardown(() => unsubscribe(name, listener))
  }
  return log
}

module.exports = { PLAIN, TRACING, listenTo }
