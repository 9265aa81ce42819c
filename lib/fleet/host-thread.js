'use strict'

// The thread of a worker: no computation runs on its event loop, so it can renew the locks in time.

const { parentPort, workerData } = require('node:worker_threads')
const { describe } = require('../payload/thrown')
const { openEngine } = require('./engines')
const { Host } = require('./host')
const { storeOf } = require('./store')
const { Values } = require('./values')

const { name, fleet, options } = workerData
const { connection, prefix, maxInputSize = 64 * 1024 * 1024 } = fleet
const engine = openEngine(name, { connection, prefix }, true)
const host = new Host(engine, new Values(storeOf(fleet.store, engine.store), maxInputSize), fleet, options)

/**
 * @param {number} id
 * @param {Promise<unknown>} promise
 */
async function answer(id, promise) {
  const message = await promise.then(
    (value) => [id, true, value],
    (error) => [id, false, describe(error)]
  )
  parentPort?.postMessage(message)
}

parentPort?.on('message', (/** @type {[number, string, number]} */ [id, what, about]) => {
  if (what === 'stats') answer(id, Promise.resolve(host.stats()))
  else
    answer(
      id,
      host.close(about).then(() => engine.close())
    )
})
answer(
  0,
  host.ready.then(() => undefined)
)
