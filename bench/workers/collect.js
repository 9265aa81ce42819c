'use strict'

// A script that gives memory back once its isolate is up. A bare worker then says that it is ready.

const { parentPort, workerData } = require('node:worker_threads')

module.exports = (value) => value

setTimeout(() => {
  globalThis.gc?.()
  if (workerData?.bare) parentPort.postMessage('ready')
}, 50)
if (workerData?.bare) parentPort.on('message', (value) => parentPort.postMessage(value))
