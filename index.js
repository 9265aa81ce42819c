'use strict'

const { bound, whenIdle } = require('./lib/native/environment')
const { Pool, WorkerPool } = require('./lib/pool/pool')
const { runTask, runTaskSync } = require('./lib/pool/default-pool')
const { tasks } = require('./lib/pool/families')
const { loadTasks } = require('./lib/pool/plugins/load')
const { AtomicCounters } = require('./lib/counters')
const { SharedMap } = require('./lib/shared-map')
const { lend } = require('./lib/payload/lend')
const { move } = require('./lib/payload/move')
const { classes: errors } = require('./lib/errors')
const { shareCpu } = require('./lib/pool/share-cpu')
const cluster = require('./lib/cluster')
const { addDrainHook, addPoolReading } = require('./lib/cluster/hooks')

// A process of a cluster that is drained lets its tasks end, and its status shows them.
addDrainHook(whenIdle)
addPoolReading(() => require('./lib/native/drain').load())

/** How many CPUs this process may use. */
const cpuCount = () => bound.cpuCount()
/** @returns {string} */
const metrics = () => require('./lib/native/drain').metrics()

// Node.js reads from this list of names what `import` finds.
module.exports = {
  Pool,
  WorkerPool,
  runTask,
  runTaskSync,
  tasks,
  loadTasks,
  AtomicCounters,
  SharedMap,
  cluster,
  lend,
  move,
  cpuCount,
  shareCpu,
  metrics,
  errors
}
