'use strict'

// A worker machine: node examples/fleet/worker.js. On SIGTERM it finishes what it has, or gives it back.

const path = require('node:path')
const { Fleet } = require('../../fleet')

const fleet = new Fleet('primes', { connection: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' })
const work = fleet.work({
  pool: { filename: path.join(__dirname, 'tasks.js'), maxThreads: 1 },
  tasks: ['primes'],
  lockDuration: Number(process.env.LOCK_DURATION ?? 10_000)
})
work.ready.then(() => process.send?.('ready'))
setInterval(async () => process.send?.((await work.stats()).finished), 200).unref()
process.on('SIGTERM', () => fleet.close().then(() => process.exit()))
process.on('disconnect', () => process.exit())
