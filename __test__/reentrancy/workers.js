'use strict'

// The places inside of an isolate, as the owner of its pool sees them.

const { names, expected } = require('./inside')

/** @type {Record<string, any>} */
const places = {}
for (const name of names) {
  const { value, error, deaf, deadly, shares } = expected[name]
  places[`in a worker: ${name}`] = {
    thrown: 'inside',
    inside: true,
    shares,
    deadly,
    calls(s) {
      const call = s.pool.runTask('inside', [name, s.action.name, s.lane])
      const more = { own: true, what: 'the call itself' }
      if (s.action.name === 'exit') return void s.fails(call, 'ERR_RSPOOL_WORKER_EXIT', more)
      // How it fails is the script's own business: that it fails, and the others do not, is what counts.
      if (error === 'any' || (s.action.name === 'throw' && !deaf)) s.settles(call, more)
      else if (error !== undefined) s.fails(call, error, more)
      else s.expect(call, value, more)
    }
  }
}

module.exports = { places }
