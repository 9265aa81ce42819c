'use strict'

// The pool behind `runTask` and `tasks`: made by the first call, never closed, and never in the way of
// the process's end.

const { bound } = require('../native/environment')
const { freeLabel } = require('./labels')
const { Pool } = require('./pool')

/** @type {InstanceType<typeof Pool> | undefined} */
let pool

function defaultPool() {
  return (pool ??= new Pool({ label: freeLabel('default') }))
}

/**
 * @param {any} task
 * @param {any} [input]
 * @param {any} [options]
 */
function runTask(task, input, options) {
  return defaultPool().runTask(task, input, options)
}

/**
 * @param {any} task
 * @param {any} [input]
 * @param {any} [options]
 */
function runTaskSync(task, input, options) {
  return defaultPool().runTaskSync(task, input, options)
}

/** @type {Record<string, Record<string, Function>>} */
const families = {}
for (const name of bound.taskNames()) {
  const [family, task] = name.split('.')
  families[family] ??= {}
  families[family][task] = (/** @type {any} */ input, /** @type {any} */ options) => runTask(name, input, options)
}
for (const family of Object.values(families)) Object.freeze(family)
const tasks = Object.freeze(families)

module.exports = { runTask, runTaskSync, tasks }
