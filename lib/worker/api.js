'use strict'

// `rspool/worker`

const { task, run, runTask, context, move, isWorkerThread, threadId, workerData } = require('./host').face()

// Node.js reads from this list of names what `import` finds.
module.exports = { task, run, runTask, context, move, isWorkerThread, threadId, workerData }
