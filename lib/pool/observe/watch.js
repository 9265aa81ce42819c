'use strict'

// Whether anybody watches a call. Each call asks this, so a no must cost next to nothing. watcher.js does the work for
// a yes.

const { AsyncResource } = require('node:async_hooks')
const { channel } = require('node:diagnostics_channel')

/**
 * The symbol under which Node.js keeps the id of an asynchronous resource. A new promise has an id only while hooks are
 * in use. Without such a symbol there are no hooks.
 */
const ASYNC_ID = asyncIdSymbol() ?? Symbol('no hooks')

function asyncIdSymbol() {
  const probe = new AsyncResource('RspoolProbe', { requireManualDestroy: true })
  probe.emitDestroy()
  return Object.getOwnPropertySymbols(probe).find(({ description }) => description === 'async_id_symbol')
}

/** The context in which a pool was made. It is no handle, and keeps no process alive. */
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
// The channels of a TracingChannel with the name 'rspool:task'.
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
