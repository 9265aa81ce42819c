'use strict'

// Places in who looks on: the channels of diagnostics_channel, and hooks. What a subscriber throws is uncaught.

const { createHook, AsyncLocalStorage } = require('node:async_hooks')
const { subscribe, unsubscribe, tracingChannel } = require('node:diagnostics_channel')

const fine = (s) => void s.own('first', 'first')

function failing(s) {
  const call = s.lane === 'script' ? s.pool.runTask('throws') : s.pool.runTask('decompress.gzip', 'no gzip')
  s.fails(call, s.lane === 'script' ? 'E_RANGE' : 'ERR_RSPOOL_CORRUPT_INPUT', {
    own: true,
    what: 'the call that fails'
  })
}

function exits(s) {
  s.fails(s.pool.runTask('exits'), 'ERR_RSPOOL_WORKER_EXIT', { own: true, what: 'the call that exits' })
}

/** @type {Record<string, any>} */
const places = {}

/** Each channel, and the call that has it published. */
const channels = {
  'rspool:task:queue': fine,
  'rspool:task:start': fine,
  'rspool:task:end': fine,
  'rspool:task:error': failing,
  'rspool:worker:create': fine,
  'rspool:worker:exit': exits,
  'tracing:rspool:task:start': fine,
  'tracing:rspool:task:end': fine,
  'tracing:rspool:task:asyncStart': fine,
  'tracing:rspool:task:asyncEnd': fine,
  'tracing:rspool:task:error': failing
}
for (const [name, cause] of Object.entries(channels)) {
  places[`a subscriber of ${name}`] = {
    thrown: 'uncaught',
    ...(name.startsWith('rspool:worker') && { lanes: ['script'] }),
    fresh: name === 'rspool:worker:create',
    calls(s) {
      const subscriber = () => s.act()
      subscribe(name, subscriber)
      s.later(() => unsubscribe(name, subscriber))
      cause(s)
    }
  }
}

places['the value of a store that is bound to the trace'] = {
  thrown: 'uncaught',
  calls(s) {
    const store = new AsyncLocalStorage()
    const { start } = tracingChannel('rspool:task')
    start.bindStore(store, () => s.act('value'))
    s.later(() => start.unbindStore(store))
    fine(s)
  }
}

for (const hook of ['init', 'before', 'after', 'destroy', 'promiseResolve']) {
  places[`the hook ${hook}`] = {
    // What a hook throws ends the process, whoever made the resource.
    skip: ['throw'],
    calls(s) {
      // Later ones in later rounds: another resource each time.
      let left = 1 + 3 * s.round
      const hooks = createHook({ [hook]: () => void (--left <= 0 && s.act()) }).enable()
      s.later(() => hooks.disable())
      fine(s)
      failing(s)
    }
  }
}

module.exports = { places }
