'use strict'

const { parentPort } = require('node:worker_threads')

exports.items = function* (count) {
  for (let i = 0; i < count; i++) yield i
}

parentPort.on('message', (count) => {
  for (let i = 0; i < count; i++) parentPort.postMessage(i)
})
