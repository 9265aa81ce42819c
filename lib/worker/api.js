'use strict'

// `rspool/worker`

const { task, run, runTask, context, move, isWorkerThread, threadId, workerData } = require('./host').face()

// Node.js finds the names for `import` in this list.
module.exports = { task, run, runTask, context, move, isWorkerThread, threadId, workerData }
