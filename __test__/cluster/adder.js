'use strict'

// Adds to a counter from the main thread and from two threads, and says when a batch is done.

const { Worker } = require('node:worker_threads')
const path = require('node:path')

const counters = path.join(__dirname, '../../lib/cluster/counters.js')

module.exports = async ({ counters: own, onRequest, send }) => {
  onRequest(async ({ times, threads }) => {
    const done = Array.from(
      { length: threads },
      () =>
        new Promise((resolve, reject) => {
          new Worker(
            `
        const { workerData: { counters, share, times } } = require('node:worker_threads')
        const own = require(counters).ClusterCounters.from(share)
        for (let i = 0; i < times; i++) own.add('requests')
      `,
            { eval: true, workerData: { counters, share: own.share(), times } }
          )
            .on('exit', resolve)
            .on('error', reject)
        })
    )
    for (let i = 0; i < times; i++) own.add('requests')
    await Promise.all(done)
    return own.get('requests')
  })
  if (process.env.FOREVER) {
    const batch = () => {
      for (let i = 0; i < 1000; i++) own.add('requests')
      send({ added: 1000 })
      setImmediate(batch)
    }
    batch()
  }
}
