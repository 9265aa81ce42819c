'use strict'

// The tasks of the matrix: what its pools run, and the places inside of an isolate at which a task's own code
// can run while the package works.

const { threadId, workerData } = require('node:worker_threads')
const { task } = require('../../lib/worker/api')

module.exports = (input) => input

Object.assign(module.exports, {
  echo: (input) => input,
  twice: (n) => 2 * n,
  where: () => threadId,
  throws() {
    throw Object.assign(new RangeError('out of range'), { code: 'E_RANGE' })
  },
  exits: () => process.exit(3),
  marks(input) {
    Atomics.store(workerData.marks, 0, 1)
    Atomics.notify(workerData.marks, 0)
    return input
  },
  /** Ends when it is given up. */
  waits: () => new Promise((resolve) => task.signal.addEventListener('abort', resolve)),
  progress(input) {
    task.progress(1)
    task.progress(2)
    return input
  },
  prints(input) {
    console.log('out')
    console.error('err')
    return input
  },
  posts(input) {
    require('node:worker_threads').parentPort.postMessage('a message')
    return input
  },
  failsLater(input) {
    setImmediate(() => {
      throw new TypeError('thrown in the background')
    })
    return input
  },
  *counts(n) {
    for (let i = 0; i < n; i++) yield i
  },
  async *doubles(source) {
    for await (const n of source) yield 2 * n
  },
  inside: (...args) => require('./inside').inside(...args),
  report: () => require('./inside').report()
})
