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
 * @param {unknown} task
 * @param {unknown} [input]
 * @param {unknown} [options]
 */
function runTask(task, input, options) {
  return defaultPool().runTask(task, input, options)
}

/**
 * @param {unknown} task
 * @param {unknown} [input]
 * @param {unknown} [options]
 */
function runTaskSync(task, input, options) {
  return defaultPool().runTaskSync(task, input, options)
}

/** @type {Record<string, Record<string, Function>>} */
const families = {}
for (const name of bound.taskNames()) {
  const [family, task] = name.split('.')
  families[family] ??= {}
  families[family][task] = (/** @type {unknown} */ input, /** @type {unknown} */ options) =>
    runTask(name, input, options)
}
for (const family of Object.values(families)) Object.freeze(family)
const tasks = Object.freeze(families)

module.exports = { runTask, runTaskSync, tasks }
