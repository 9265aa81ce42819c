'use strict'

const { bound } = require('./lib/environment')
const { Pool, WorkerPool } = require('./lib/pool')
const { runTask, tasks } = require('./lib/default-pool')
const { move } = require('./lib/payload/move')
const { AtomicCounters } = require('./lib/counters')
const { classes: errors } = require('./lib/errors')

module.exports = {
  Pool,
  WorkerPool,
  runTask,
  tasks,
  AtomicCounters,
  move,
  cpuCount: () => bound.cpuCount(),
  errors
}
