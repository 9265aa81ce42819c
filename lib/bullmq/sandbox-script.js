'use strict'

// Runs in a worker: calls a BullMQ sandbox file with a job whose methods ask the owner to carry them out.

const { revive } = require('../payload/thrown')
const { importScript } = require('../worker/import')
const { task } = require('../worker/api')

/** @typedef {(job: unknown, token: unknown, signal: unknown) => unknown} Processor */

/**
 * @param {{ filename: string, actions: string[], job: Record<string, unknown> & { data: unknown, opts: unknown } }} input
 */
async function run({ filename, actions, job: given }) {
  const { port } = task
  if (port === undefined) throw new Error('A sandbox file runs with a channel only')
  let last = 0
  /** @type {Map<number, (fine: boolean, value: unknown) => void>} */
  const asked = new Map()
  port.on('message', (/** @type {[number, boolean, unknown]} */ [id, fine, value]) => {
    asked.get(id)?.(fine, value)
    asked.delete(id)
  })
  /** @type {Record<string, unknown>} */
  const job = { ...given, data: parsed(given.data), opts: given.opts }
  for (const action of actions) {
    job[action] = (/** @type {unknown[]} */ ...args) =>
      new Promise((resolve, reject) => {
        const id = ++last
        asked.set(id, (fine, value) => (fine ? resolve(value) : reject(revive(/** @type {never} */ (value)))))
        port.postMessage([id, action, args])
      })
  }
  const { updateData } = job
  job.updateData = (/** @type {unknown} */ data) => {
    job.data = data
    return /** @type {(data: unknown) => unknown} */ (updateData)(data)
  }
  const exported = /** @type {Processor | { default?: Processor }} */ ((await importScript(filename)).default)
  const main = /** @type {Processor} */ (typeof exported === 'function' ? exported : exported?.default)
  return main(job, given.token, task.signal)
}

/** @param {unknown} data BullMQ passes it as JSON text */
function parsed(data) {
  return typeof data === 'string' ? JSON.parse(data) : data
}

module.exports = { run }
