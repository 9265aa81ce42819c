'use strict'

const { loadTasks } = require('rspool')

/**
 * Resolves when the tasks can be called: `await load()`, then `tasks.image.resize(photo, { params })` of rspool. The library is
 * that of the package for this platform, or what `rspool build-task` has put here.
 * @param {import('rspool').LoadTasksOptions} [options]
 */
function load(options) {
  return loadTasks(__dirname, options)
}

module.exports = { load }
