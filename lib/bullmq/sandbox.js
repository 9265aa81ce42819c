'use strict'

// A pool whose script is a BullMQ sandbox file. The file's function takes a job, as in BullMQ's own child processes.
// The methods that it calls on the job are carried out here, where the connection is.

const path = require('node:path')
const { invalidArgument } = require('../errors')
const { describe } = require('../payload/thrown')

const SCRIPT = path.join(__dirname, 'sandbox-script.js')

/** The methods that a sandbox file may call on its job. */
const ACTIONS = new Set([
  'updateProgress',
  'updateData',
  'log',
  'moveToDelayed',
  'moveToWait',
  'moveToWaitingChildren',
  'getChildrenValues',
  'getIgnoredChildrenFailures',
  'getDependencies',
  'getDependenciesCount'
])

/**
 * @param {import('./types').Pool} pool
 * @param {import('./types').Job} job
 * @param {object} settings
 * @returns {Promise<unknown>}
 */
function runSandboxed(pool, job, settings) {
  const { filename } = pool.options
  if (filename === undefined) throw invalidArgument('A pool for sandbox files needs the file as its filename')
  const { onProgress, ...rest } = /** @type {{ onProgress?: unknown }} */ (settings)
  const { port, result } = pool.channel(
    { filename: SCRIPT, name: 'run' },
    { filename, actions: [...ACTIONS], job: plain(job.asJSONSandbox()) },
    rest
  )
  port.on('message', async (/** @type {[number, string, unknown[]]} */ [id, action, args]) => {
    if (!ACTIONS.has(action)) return
    const perform = /** @type {Record<string, import('./types').JobAction>} */ (/** @type {unknown} */ (job))[action]
    const reply = await Promise.resolve()
      .then(() => perform.apply(job, args))
      .then(
        (value) => [id, true, value],
        (error) => [id, false, describe(error)]
      )
    // The task may have ended meanwhile.
    port.postMessage(reply)
  })
  return result
}

/**
 * The value as it would arrive in a child process.
 * @param {object} value
 */
function plain(value) {
  return JSON.parse(JSON.stringify(value))
}

module.exports = { runSandboxed }
