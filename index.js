'use strict'

const { bound } = require('./lib/environment')
const { Pool, WorkerPool } = require('./lib/pool')
const { runTask, tasks } = require('./lib/default-pool')
const { move } = require('./lib/payload/move')
const errors = require('./lib/errors')

module.exports = {
  Pool,
  WorkerPool,
  runTask,
  tasks,
  move,
  cpuCount: () => bound.cpuCount(),
  errors
}
