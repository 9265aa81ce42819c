'use strict'

// A process for one task, with a pool of one worker. The process ends with the task, or when its parent has gone.

const { describe } = require('../payload/thrown')
const { Pool } = require('../pool/pool')
const { runIn } = require('./processor')

/** @param {['progress' | 'value' | 'error', unknown]} message */
function tell(message) {
  return new Promise((resolve) => {
    if (!process.connected) return resolve(undefined)
    process.send?.(message, () => resolve(undefined))
  })
}

process.on('disconnect', () => process.exit())

process.once('message', async (/** @type {[object, import('./types').Call, object]} */ [options, call, settings]) => {
  try {
    const pool = new Pool({ ...options, maxThreads: 1 })
    const onProgress = (/** @type {unknown} */ value) => void tell(['progress', value])
    await tell(['value', await runIn(pool, call, { ...settings, onProgress })])
  } catch (error) {
    await tell(['error', describe(error)])
  }
  process.exit()
})
