'use strict'

// Whether a call is watched by anybody: what is asked for each call, so that it costs next to nothing
// where the answer is no. What is done where it is yes is in watcher.js.

const { AsyncResource } = require('node:async_hooks')
const { channel } = require('node:diagnostics_channel')

/**
 * Where Node.js keeps the id of an asynchronous resource. A promise has one from the start if hooks are in
 * use, and only then. Without such a symbol there are no hooks.
 */
const ASYNC_ID = asyncIdSymbol() ?? Symbol('no hooks')

function asyncIdSymbol() {
  const probe = new AsyncResource('RspoolProbe', { requireManualDestroy: true })
  probe.emitDestroy()
  return Object.getOwnPropertySymbols(probe).find(({ description }) => description === 'async_id_symbol')
}

/** The context in which a pool was made. It is no handle: it keeps nothing. */
class PoolScope extends AsyncResource {
  constructor() {
    super('RspoolPool')
  }

  hasRef() {
    return false
  }
}

const queue = channel('rspool:task:queue')
const start = channel('rspool:task:start')
const end = channel('rspool:task:end')
const error = channel('rspool:task:error')
// Those of a TracingChannel of the name 'rspool:task'.
const called = channel('tracing:rspool:task:start')
const returned = channel('tracing:rspool:task:end')
const asyncStart = channel('tracing:rspool:task:asyncStart')
const asyncEnd = channel('tracing:rspool:task:asyncEnd')
const failed = channel('tracing:rspool:task:error')

function hasSubscribers() {
  return (
    queue.hasSubscribers ||
    start.hasSubscribers ||
    end.hasSubscribers ||
    error.hasSubscribers ||
    called.hasSubscribers ||
    returned.hasSubscribers ||
    asyncStart.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    failed.hasSubscribers
  )
}

/**
 * Whether hooks are in use.
 * @param {Promise<unknown>} promise that was just made
 */
function isHooked(promise) {
  return /** @type {Record<symbol, unknown>} */ (/** @type {unknown} */ (promise))[ASYNC_ID] !== undefined
}

/**
 * @param {boolean} asked whether the call's own settings ask for it
 * @param {boolean} hooked
 */
function isWatched(asked, hooked) {
  return asked || hooked || hasSubscribers()
}

const tracing = { start: called, end: returned, asyncStart, asyncEnd, error: failed }
const channels = { queue, start, end, error, tracing }
const workers = {
  workerCreate: channel('rspool:worker:create'),
  stalled: channel('rspool:worker:stalled'),
  workerExit: channel('rspool:worker:exit')
}

module.exports = { isHooked, isWatched, hasSubscribers, PoolScope, channels, workers }
