'use strict'

// The pool behind `runTask`, `tasks` and `runTaskSync`: made by the first call, and never closed. It never keeps the
// process alive.

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

module.exports = { runTask, runTaskSync }
